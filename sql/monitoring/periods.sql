/*---
name: periods
description: The confirmed rate of each segment over the reference days and over the days watched, with its 95 % interval.
key: [metric, segment_column, segment_value, period]
---*/
SELECT d.metric, d.segment_column, d.segment_value, n.period,
       MIN(d.shown_on) AS first_day, MAX(d.shown_on) AS last_day,
       SUM(d.shown) AS shown, SUM(d.pending) AS pending,
       SUM(d.mature) AS mature, SUM(d.mature_yes) AS mature_yes,
       CAST(SUM(d.mature_yes) AS DOUBLE) / NULLIF(SUM(d.mature), 0) AS confirmed_rate,
       wilson_lower(SUM(d.mature_yes), SUM(d.mature)) AS confirmed_lower,
       wilson_upper(SUM(d.mature_yes), SUM(d.mature)) AS confirmed_upper
FROM monitoring.daily d
JOIN monitoring.days n ON n.shown_on = d.shown_on
GROUP BY d.metric, d.segment_column, d.segment_value, n.period
