/*---
name: scan_extremes
description: The furthest that anything is from what it should do, in each run.
key: [metric, run]
---*/
SELECT metric, run,
       MAX(abs(z)) AS furthest,
       MAX(CASE WHEN segment_column <> 'shop' THEN abs(z) END) AS furthest_segment,
       MAX(CASE WHEN segment_column = 'shop' THEN abs(z) END) AS furthest_shop
FROM monitoring.scan
GROUP BY metric, run
