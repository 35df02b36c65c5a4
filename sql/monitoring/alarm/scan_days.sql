/*---
name: scan_days
description: The days on which anything is old enough to be judged, for each thing a customer can do; these are what is shuffled.
key: [metric, day]
---*/
SELECT DISTINCT c.metric, d.day
FROM monitoring.cohorts c
JOIN monitoring.days d ON d.shown_on = c.shown_on
WHERE c.mature > 0
