/*---
name: delays
description: On each day of waiting, how many were still waiting at its start (of those old enough to have seen its end) and for how many it came that day.
key: [stage, day]
---*/
WITH counts AS (
  SELECT stage, window_days, age, delay, SUM(waits) AS waiting FROM monitoring.waits GROUP BY stage, window_days, age, delay
),
days AS (
  SELECT stage, unnest(range(0, window_days)) AS day FROM (SELECT DISTINCT stage, window_days FROM monitoring.waits)
)
SELECT d.stage, d.day,
       -- Days are pooled as they double: 0, 1, 2-3, 4-7, 8-15, and so on.
       CASE WHEN d.day = 0 THEN 0 ELSE 1 + CAST(floor(log2(d.day) + 0.000000001) AS BIGINT) END AS bucket,
       COALESCE(SUM(c.waiting) FILTER (WHERE c.age > d.day AND (c.delay IS NULL OR c.delay >= d.day)), 0) AS at_risk,
       COALESCE(SUM(c.waiting) FILTER (WHERE c.age > d.day AND c.delay = d.day), 0) AS events
FROM days d
JOIN counts c ON c.stage = d.stage
GROUP BY d.stage, d.day
