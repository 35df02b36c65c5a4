/*---
name: scan_expected
description: What each segment should do each day, given how everyone else moved; the whole shop is held against its own reference days.
key: [series, day]
---*/
WITH sums AS (
  SELECT *,
         SUM(CASE WHEN is_reference THEN n ELSE 0 END) OVER all_days AS n0,
         SUM(CASE WHEN is_reference THEN x ELSE 0 END) OVER all_days AS x0,
         SUM(CASE WHEN is_reference THEN m ELSE 0 END) OVER all_days AS m0,
         SUM(CASE WHEN is_reference THEN y ELSE 0 END) OVER all_days AS y0
  FROM monitoring.scan_counts
  WINDOW all_days AS (PARTITION BY series)
),
rates AS (
  SELECT *,
         (x0 + 0.5) / (n0 + 1.0) AS p,
         (y0 + 0.5) / (m0 + 1.0) AS r0,
         (y + 0.5) / (m + 1.0) AS r
  FROM sums
  -- Without a reference there is nothing to compare with, and without a rest nobody.
  WHERE n0 > 0 AND (is_shop OR m0 > 0 AND m > 0)
),
expected AS (
  SELECT *, CASE WHEN is_shop THEN p
                 ELSE 1 / (1 + exp(-(ln(p / (1 - p)) + ln(r / (1 - r)) - ln(r0 / (1 - r0))))) END AS q
  FROM rates
),
variances AS (SELECT *, n * q AS e, n * q * (1 - q) AS v FROM expected)
SELECT series, is_shop, day, is_reference, n, x, e, v,
       CASE WHEN is_shop THEN v ELSE v + v * v / (m * r * (1 - r)) END AS d,
       1 / (n0 * p * (1 - p)) + CASE WHEN is_shop THEN 0 ELSE 1 / (m0 * r0 * (1 - r0)) END AS v0
FROM variances
