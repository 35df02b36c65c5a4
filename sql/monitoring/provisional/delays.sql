/*---
name: delays
description: On each day of waiting, how many were still waiting at its start (of those old enough to have seen its end) and for how many it came that day - purchases of what was clicked by then and of what was not, clicks, returns; for each segment and the whole shop.
key: [segment_column, segment_value, stage, clicked, day]
---*/
WITH counts AS (
  SELECT s.segment_column, s.segment_value, w.stage, w.window_days, w.age, w.delay, w.click_after, SUM(w.waits) AS waiting
  FROM monitoring.waits w
  JOIN monitoring.segments s ON s.profile = w.profile
  GROUP BY s.segment_column, s.segment_value, w.stage, w.window_days, w.age, w.delay, w.click_after
),
days AS (
  SELECT stage, unnest(range(0, window_days)) AS day FROM (SELECT DISTINCT stage, window_days FROM monitoring.waits)
),
steps AS (
  SELECT stage AS waits_for, stage AS step, day, false AS clicked FROM days
  UNION ALL
  SELECT stage AS waits_for, stage AS step, day, true FROM days WHERE stage = 'purchase'
  UNION ALL
  SELECT stage, 'click', day, false FROM days WHERE stage = 'purchase'
),
seen AS (
  SELECT c.segment_column, c.segment_value, t.step, t.clicked, t.day, c.waiting,
         -- What is clicked on the day of its purchase counts as clicked before: which came first is minutes.
         c.age > t.day AND (c.delay IS NULL OR c.delay >= t.day) AND COALESCE(c.click_after <= t.day, false) = t.clicked
           AND (t.step <> 'click' OR c.delay IS NULL OR c.delay > t.day) AS at_risk,
         CASE WHEN t.step = 'click' THEN c.click_after = t.day + 1 ELSE c.delay = t.day END AS came
  FROM steps t
  JOIN counts c ON c.stage = t.waits_for
)
SELECT segment_column, segment_value, step AS stage, clicked, day,
       -- Days are pooled as they double: 0, 1, 2-3, 4-7, 8-15, and so on.
       CASE WHEN day = 0 THEN 0 ELSE 1 + CAST(floor(log2(day) + 0.000000001) AS BIGINT) END AS bucket,
       COALESCE(SUM(waiting) FILTER (WHERE at_risk), 0) AS at_risk,
       COALESCE(SUM(waiting) FILTER (WHERE at_risk AND came), 0) AS events
FROM seen
GROUP BY segment_column, segment_value, step, clicked, day
