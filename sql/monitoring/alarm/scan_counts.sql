/*---
name: scan_counts
description: Each segment's day and the rest of the shop's, with the customers of alarmed segments taken out and the days in the order of each run.
key: [run, series, day]
---*/
WITH explained AS (
  SELECT DISTINCT t.metric, s.profile
  FROM monitoring.taken_out t
  JOIN monitoring.segments s ON s.segment_column = t.segment_column AND s.segment_value = t.segment_value
),
counts AS (
  SELECT r.series, r.metric, r.is_shop, d.day, SUM(c.mature) AS n, SUM(c.mature_yes) AS x
  FROM monitoring.cohorts c
  JOIN monitoring.segments s ON s.profile = c.profile
  JOIN monitoring.series r ON r.metric = c.metric AND r.segment_column = s.segment_column AND r.segment_value = s.segment_value
  JOIN monitoring.days d ON d.shown_on = c.shown_on
  LEFT JOIN explained e ON e.metric = c.metric AND e.profile = c.profile
  WHERE e.profile IS NULL
  GROUP BY r.series, r.metric, r.is_shop, d.day
),
-- A segment that nobody saw on a day has a row of zeros, so that its days stay in step with the others'.
grid AS (
  SELECT a.metric, l.series, l.is_shop, a.day, a.n AS shop_n, a.x AS shop_x
  FROM counts a
  JOIN (SELECT DISTINCT metric, series, is_shop FROM counts) l ON l.metric = a.metric
  WHERE a.is_shop
),
days AS (
  SELECT g.metric, g.series, g.is_shop, g.day, COALESCE(c.n, 0) AS n, COALESCE(c.x, 0) AS x,
         g.shop_n - COALESCE(c.n, 0) AS m, g.shop_x - COALESCE(c.x, 0) AS y
  FROM grid g
  LEFT JOIN counts c ON c.series = g.series AND c.day = g.day
)
SELECT h.run, d.series, d.is_shop, h.day, d.n, d.x, d.m, d.y
FROM monitoring.shuffles h
JOIN days d ON d.metric = h.metric AND d.day = h.stands_for
