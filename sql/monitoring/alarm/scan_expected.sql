/*---
name: scan_expected
description: What each segment should do each day, given how everyone else moved and who was shown something; the whole shop is held against its own reference days.
key: [series, day]
---*/
WITH sums AS (
  SELECT *,
         SUM(CASE WHEN is_reference THEN 1 ELSE 0 END) OVER all_days AS days0,
         SUM(CASE WHEN is_reference THEN n ELSE 0 END) OVER all_days AS n0,
         SUM(CASE WHEN is_reference THEN x ELSE 0 END) OVER all_days AS x0,
         SUM(CASE WHEN is_reference THEN m ELSE 0 END) OVER all_days AS m0,
         SUM(CASE WHEN is_reference THEN y ELSE 0 END) OVER all_days AS y0,
         CAST(SUM(CASE WHEN is_reference THEN CAST(usual AS DECIMAL(30, 12)) ELSE 0 END) OVER all_days AS DOUBLE) AS usual0,
         CAST(SUM(CASE WHEN is_reference THEN CAST(rest_usual AS DECIMAL(30, 12)) ELSE 0 END) OVER all_days AS DOUBLE) AS rest_usual0
  FROM monitoring.scan_counts
  WINDOW all_days AS (PARTITION BY series)
),
rates AS (
  SELECT *,
         (x0 + 0.5) / (n0 + 1.0) AS p,
         (y0 + 0.5) / (m0 + 1.0) AS r0,
         (y + 0.5) / (m + 1.0) AS r,
         -- By what the day's mix moves the odds, though everyone does as usual; p, r0 and their variances stay the reference's.
         CASE WHEN n > 0 THEN usual / (n - usual) / (usual0 / (n0 - usual0)) ELSE 1.0 END AS mix,
         rest_usual / (m - rest_usual) / (rest_usual0 / (m0 - rest_usual0)) AS rest_mix
  FROM sums
  -- Without a reference there is nothing to compare with, and without a rest nobody.
  WHERE n0 > 0 AND (is_shop OR m0 > 0 AND m > 0)
),
expected AS (
  SELECT *, odds / (1 + odds) AS q
  FROM (
    SELECT *, p / (1 - p) * mix * CASE WHEN is_shop THEN 1.0 ELSE r / (1 - r) / (r0 / (1 - r0) * rest_mix) END AS odds FROM rates
  )
),
variances AS (SELECT *, n * q AS e, n * q * (1 - q) AS v FROM expected),
with_rest AS (SELECT *, CASE WHEN is_shop THEN v ELSE v + v * v / (m * r * (1 - r)) END AS d FROM variances)
SELECT series, is_shop, day, is_reference, n, x, e, v, d,
       -- What phi - 1 is a multiple of.  The whole shop's day moves as one, so twice as much shown moves by twice as many.
       CASE WHEN is_shop THEN v * n * days0 / n0 ELSE d END AS moved,
       1 / (n0 * p * (1 - p)) + CASE WHEN is_shop THEN 0 ELSE 1 / (m0 * r0 * (1 - r0)) END AS v0
FROM with_rest
