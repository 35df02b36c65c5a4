/*---
name: lines
description: What a chart of one segment needs for each day - its rate, its mean of seven days, the rest of the shop, the usual range.
key: [metric, segment_column, segment_value, shown_on]
---*/
WITH sums AS (
  SELECT d.metric, d.segment_column, d.segment_value, d.shown_on, n.day, n.period, d.shown, d.pending, d.mature, d.mature_yes,
         COALESCE(d.shown_on >= f.since, false) AS is_after,
         SUM(d.mature) OVER week AS week_n, SUM(d.mature_yes) OVER week AS week_x, COUNT(*) OVER week AS week_days
  FROM monitoring.daily d
  JOIN monitoring.days n ON n.shown_on = d.shown_on
  LEFT JOIN monitoring.findings f ON f.metric = d.metric AND f.segment_column = d.segment_column AND f.segment_value = d.segment_value
  -- A mean never reaches over a change: it begins anew with the new level.
  WINDOW week AS (PARTITION BY d.metric, d.segment_column, d.segment_value, COALESCE(d.shown_on >= f.since, false) ORDER BY n.day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW)
)
SELECT s.metric, s.segment_column, s.segment_value, s.shown_on, s.period, s.shown, s.pending, s.mature, s.mature_yes,
       CAST(s.mature_yes AS DOUBLE) / NULLIF(s.mature, 0) AS confirmed_rate,
       CASE WHEN (s.week_days = 7 OR s.is_after AND s.week_days >= 3) AND s.mature > 0 THEN CAST(s.week_x AS DOUBLE) / NULLIF(s.week_n, 0) END AS confirmed_week,
       CASE WHEN s.segment_column <> 'shop'
            THEN CAST(a.mature_yes - s.mature_yes AS DOUBLE) / NULLIF(a.mature - s.mature, 0) END AS confirmed_rest,
       r.confirmed_rate AS usual,
       -- Where a mean of seven days usually lies while nothing changes.
       GREATEST(r.confirmed_rate - 1.96 * sqrt(r.confirmed_rate * (1 - r.confirmed_rate) / NULLIF(s.week_n, 0)), 0.0) AS usual_lower,
       LEAST(r.confirmed_rate + 1.96 * sqrt(r.confirmed_rate * (1 - r.confirmed_rate) / NULLIF(s.week_n, 0)), 1.0) AS usual_upper
FROM sums s
JOIN monitoring.daily a ON a.metric = s.metric AND a.shown_on = s.shown_on AND a.segment_column = 'shop'
LEFT JOIN monitoring.periods r ON r.metric = s.metric AND r.segment_column = s.segment_column
                              AND r.segment_value = s.segment_value AND r.period = 'reference'
