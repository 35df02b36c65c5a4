/*---
name: waiting
description: By days of waiting and whether it was clicked, how many recommendations (purchases) there are in each segment, how many came, and how many may still come.
key: [stage, segment_column, segment_value, span, clicked, age]
---*/
WITH counts AS (
  SELECT stage, profile, shown_on, click_after IS NOT NULL AS clicked, LEAST(age, window_days) AS age,
         COALESCE(SUM(waits) FILTER (WHERE stage = 'purchase' OR counted), 0) AS total,
         COALESCE(SUM(waits) FILTER (WHERE counted AND delay < age), 0) AS came,
         COALESCE(SUM(waits) FILTER (WHERE delay IS NOT NULL), 0) AS came_so_far
  FROM monitoring.waits
  GROUP BY stage, profile, shown_on, click_after IS NOT NULL, LEAST(age, window_days)
),
spans AS (
  SELECT c.stage, s.segment_column, s.segment_value, n.period AS span, c.clicked, c.age, c.total, c.came, c.came_so_far
  FROM counts c
  JOIN monitoring.segments s ON s.profile = c.profile
  JOIN monitoring.days n ON n.shown_on = c.shown_on
  UNION ALL
  SELECT c.stage, 'shop', 'all', CAST(c.shown_on AS VARCHAR), c.clicked, c.age, c.total, c.came, c.came_so_far FROM counts c
  UNION ALL
  SELECT c.stage, 'shop', 'all', concat('week of ', CAST(CAST(date_trunc('week', c.shown_on) AS DATE) AS VARCHAR)), c.clicked, c.age, c.total, c.came, c.came_so_far
  FROM counts c
)
SELECT stage, segment_column, segment_value, span, clicked, age, SUM(total) AS total, SUM(came) AS came, SUM(total) - SUM(came) AS waiting,
       SUM(came_so_far) AS came_so_far
FROM spans
GROUP BY stage, segment_column, segment_value, span, clicked, age
