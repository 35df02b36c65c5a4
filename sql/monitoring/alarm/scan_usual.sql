/*---
name: scan_usual
description: The odds that each segment and the whole shop would usually have on a day - those of the reference days, moved by how the day's mix of customers differs from theirs.
key: [series, day]
---*/
WITH sums AS (
  SELECT *,
         SUM(CASE WHEN is_reference THEN 1 ELSE 0 END) OVER all_days AS days0,
         SUM(CASE WHEN is_reference THEN n ELSE 0 END) OVER all_days AS n0,
         SUM(CASE WHEN is_reference THEN x ELSE 0 END) OVER all_days AS x0,
         CAST(SUM(CASE WHEN is_reference THEN CAST(usual AS DECIMAL(30, 12)) ELSE 0 END) OVER all_days AS DOUBLE) AS usual0
  FROM monitoring.scan_counts
  WINDOW all_days AS (PARTITION BY series)
)
SELECT series, shop, is_shop, day, weekday, is_reference, n, x, days0, n0,
       (x0 + 0.5) / (n0 - x0 + 0.5) / (usual0 / (n0 - usual0)) * CASE WHEN n > 0 THEN usual / (n - usual) ELSE 1.0 END AS odds
FROM sums
-- Without a reference there is nothing to compare with.
WHERE n0 > 0
