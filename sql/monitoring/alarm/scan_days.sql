/*---
name: scan_days
description: The days on which anything is old enough to be judged, for each thing a customer can do; these are what is shuffled.
key: [metric, day]
---*/
SELECT d.metric, n.day
FROM monitoring.daily d
JOIN monitoring.days n ON n.shown_on = d.shown_on
WHERE d.segment_column = 'shop' AND d.mature > 0
