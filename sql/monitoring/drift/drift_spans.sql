/*---
name: drift_spans
description: The days of the looks that the model learned from and of the latest ones.
key: [side]
---*/
SELECT side, CAST(MIN(as_of) AS DATE) AS first_day, CAST(MAX(as_of) AS DATE) AS last_day, COUNT(*) AS looks
FROM monitoring.drift_rows
GROUP BY side
