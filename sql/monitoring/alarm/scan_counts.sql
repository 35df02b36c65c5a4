/*---
name: scan_counts
description: Each segment's day and the rest of the shop's, with the customers of alarmed segments taken out and the days in the order of each run.
key: [metric, run, segment_column, segment_value, day]
---*/
WITH explained AS (
  SELECT DISTINCT t.metric, s.profile
  FROM monitoring.taken_out t
  JOIN monitoring.segments s ON s.segment_column = t.segment_column AND s.segment_value = t.segment_value
),
counts AS (
  SELECT c.metric, s.segment_column, s.segment_value, d.day, SUM(c.mature) AS n, SUM(c.mature_yes) AS x
  FROM monitoring.cohorts c
  JOIN monitoring.segments s ON s.profile = c.profile
  JOIN monitoring.days d ON d.shown_on = c.shown_on
  LEFT JOIN explained e ON e.metric = c.metric AND e.profile = c.profile
  WHERE e.profile IS NULL
  GROUP BY c.metric, s.segment_column, s.segment_value, d.day
),
shop AS (SELECT metric, day, n, x FROM counts WHERE segment_column = 'shop'),
-- A segment that nobody saw on a day has a row of zeros, so that its days stay in step with the others'.
grid AS (
  SELECT a.metric, l.segment_column, l.segment_value, a.day, a.n AS shop_n, a.x AS shop_x
  FROM shop a CROSS JOIN (SELECT DISTINCT segment_column, segment_value FROM counts) l
),
days AS (
  SELECT g.metric, g.segment_column, g.segment_value, g.day, g.shop_n, g.shop_x,
         COALESCE(c.n, 0) AS n, COALESCE(c.x, 0) AS x
  FROM grid g
  LEFT JOIN counts c ON c.metric = g.metric AND c.segment_column = g.segment_column
                    AND c.segment_value = g.segment_value AND c.day = g.day
)
SELECT h.metric, h.run, d.segment_column, d.segment_value, h.day,
       d.n, d.x, d.shop_n - d.n AS m, d.shop_x - d.x AS y
FROM monitoring.shuffles h
JOIN days d ON d.metric = h.metric AND d.day = h.stands_for
