/*---
name: scan_expected
description: What each segment should do each day, given how everyone else moved; the whole shop is held against its own reference days.
key: [run, series, day]
---*/
WITH reference AS (
  SELECT run, series, SUM(n) AS n0, SUM(x) AS x0, SUM(m) AS m0, SUM(y) AS y0
  FROM monitoring.scan_counts
  WHERE day <= $reference_days
  GROUP BY run, series
),
rates AS (
  SELECT c.run, c.series, c.is_shop, c.day, c.n, c.x, c.m, f.n0, f.m0,
         (f.x0 + 0.5) / (f.n0 + 1.0) AS p,
         (f.y0 + 0.5) / (f.m0 + 1.0) AS r0,
         (c.y + 0.5) / (c.m + 1.0) AS r
  FROM monitoring.scan_counts c
  JOIN reference f ON f.run = c.run AND f.series = c.series
  -- Without a reference there is nothing to compare with, and without a rest nobody.
  WHERE f.n0 > 0 AND (c.is_shop OR f.m0 > 0 AND c.m > 0)
),
expected AS (
  SELECT *, CASE WHEN is_shop THEN p
                 ELSE 1 / (1 + exp(-(ln(p / (1 - p)) + ln(r / (1 - r)) - ln(r0 / (1 - r0))))) END AS q
  FROM rates
),
variances AS (SELECT *, n * q AS e, n * q * (1 - q) AS v FROM expected)
SELECT run, series, is_shop, day, day <= $reference_days AS is_reference, n, x, e, v,
       CASE WHEN is_shop THEN v ELSE v + v * v / (m * r * (1 - r)) END AS d,
       1 / (n0 * p * (1 - p)) + CASE WHEN is_shop THEN 0 ELSE 1 / (m0 * r0 * (1 - r0)) END AS v0
FROM variances
