/*---
name: chart_points
description: Rates over a few days at a time, for the small charts.
key: [metric, segment_column, segment_value, first_day]
---*/
WITH numbered AS (SELECT shown_on, (day - 1) / $chart_days AS point FROM monitoring.days),
points AS (SELECT point, MIN(shown_on) AS first_day, MAX(shown_on) AS last_day FROM numbered GROUP BY point)
SELECT d.metric, d.segment_column, d.segment_value, f.first_day, f.last_day, SUM(d.mature) AS mature, SUM(d.mature_yes) AS mature_yes,
       CAST(SUM(d.mature_yes) AS DOUBLE) / NULLIF(SUM(d.mature), 0) AS confirmed_rate
FROM monitoring.daily d
JOIN numbered n ON n.shown_on = d.shown_on
JOIN points f ON f.point = n.point
GROUP BY d.metric, d.segment_column, d.segment_value, f.first_day, f.last_day
