/*---
name: scan_extremes
description: The furthest that anything is from what it should do, in each shuffled history.
key: [metric, run]
---*/
SELECT s.metric, t.run, MAX(abs(t.z)) AS furthest
FROM monitoring.scan_stretches t
JOIN monitoring.series s ON s.series = t.series
WHERE t.run > 0
GROUP BY s.metric, t.run
