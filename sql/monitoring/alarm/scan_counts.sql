/*---
name: scan_counts
description: Each segment's day and the rest of the shop's, with the customers of alarmed segments taken out, for the metrics that are looked at again.
key: [series, day]
---*/
WITH explained AS (
  SELECT DISTINCT t.metric, s.profile
  FROM monitoring.taken_out t
  JOIN monitoring.looked_at l ON l.metric = t.metric
  JOIN monitoring.segments s ON s.segment_column = t.segment_column AND s.segment_value = t.segment_value
),
gone AS (
  SELECT c.metric, s.segment_column, s.segment_value, c.shown_on, SUM(c.mature) AS n, SUM(c.mature_yes) AS x
  FROM explained e
  JOIN monitoring.cohorts c ON c.metric = e.metric AND c.profile = e.profile
  JOIN monitoring.segments s ON s.profile = c.profile
  GROUP BY c.metric, s.segment_column, s.segment_value, c.shown_on
),
counts AS (
  SELECT r.series, r.is_shop, d.metric, n.day, d.mature - COALESCE(g.n, 0) AS n, d.mature_yes - COALESCE(g.x, 0) AS x
  FROM monitoring.daily d
  JOIN monitoring.looked_at l ON l.metric = d.metric
  JOIN monitoring.series r ON r.metric = d.metric AND r.segment_column = d.segment_column AND r.segment_value = d.segment_value
  JOIN monitoring.days n ON n.shown_on = d.shown_on
  LEFT JOIN gone g ON g.metric = d.metric AND g.segment_column = d.segment_column AND g.segment_value = d.segment_value AND g.shown_on = d.shown_on
),
-- A segment that nobody saw on a day has a row of zeros, so that its days stay in step with the others'.
grid AS (
  SELECT a.metric, r.series, r.is_shop, a.day, a.n AS shop_n, a.x AS shop_x
  FROM counts a
  JOIN monitoring.series r ON r.metric = a.metric
  JOIN monitoring.scan_days d ON d.metric = a.metric AND d.day = a.day
  WHERE a.is_shop
)
SELECT g.series, g.is_shop, g.day, g.day <= $reference_days AS is_reference, COALESCE(c.n, 0) AS n, COALESCE(c.x, 0) AS x,
       g.shop_n - COALESCE(c.n, 0) AS m, g.shop_x - COALESCE(c.x, 0) AS y
FROM grid g
LEFT JOIN counts c ON c.series = g.series AND c.day = g.day
