/*---
name: daily
description: Each day's confirmed rate in each segment with its 95 % interval, over recommendations that are old enough.
key: [metric, segment_column, segment_value, shown_on]
---*/
SELECT c.metric, s.segment_column, s.segment_value, c.shown_on,
       SUM(c.shown) AS shown,
       SUM(c.confirmed) AS confirmed,
       SUM(c.shown) - SUM(c.confirmed) AS pending,
       SUM(c.mature) AS mature,
       SUM(c.mature_yes) AS mature_yes,
       CAST(SUM(c.mature_yes) AS DOUBLE) / NULLIF(SUM(c.mature), 0) AS confirmed_rate,
       wilson_lower(SUM(c.mature_yes), SUM(c.mature)) AS confirmed_lower,
       wilson_upper(SUM(c.mature_yes), SUM(c.mature)) AS confirmed_upper
FROM monitoring.cohorts c
JOIN monitoring.segments s ON s.profile = c.profile
GROUP BY c.metric, s.segment_column, s.segment_value, c.shown_on
