/*---
name: scan_counts
description: Each segment's day and the rest of the shop's, with what their mix of customers would usually do; without the customers of alarmed segments, for the metrics that are looked at again.
key: [series, day]
---*/
WITH explained AS (
  SELECT DISTINCT t.metric, s.profile
  FROM monitoring.taken_out t
  JOIN monitoring.segments s ON s.segment_column = t.segment_column AND s.segment_value = t.segment_value
),
members AS (
  SELECT u.metric, u.profile, u.rate, r.series
  FROM monitoring.usual_rates u
  JOIN monitoring.looked_at l ON l.metric = u.metric
  JOIN monitoring.segments s ON s.profile = u.profile
  JOIN monitoring.series r ON r.metric = u.metric AND r.segment_column = s.segment_column AND r.segment_value = s.segment_value
  LEFT JOIN explained e ON e.metric = u.metric AND e.profile = u.profile
  WHERE e.profile IS NULL
),
counts AS (
  SELECT m.series, d.day, SUM(c.mature) AS n, SUM(c.mature_yes) AS x, SUM(CAST(c.mature * m.rate AS DECIMAL(30, 12))) AS usual
  FROM monitoring.cohorts c
  JOIN members m ON m.metric = c.metric AND m.profile = c.profile
  JOIN monitoring.days d ON d.shown_on = c.shown_on
  GROUP BY m.series, d.day
),
-- A segment that nobody saw on a day has a row of zeros, so that its days stay in step with the others'.
grid AS (
  SELECT r.series, r.is_shop, a.day, a.n AS shop_n, a.x AS shop_x, a.usual AS shop_usual
  FROM counts a
  JOIN monitoring.series o ON o.series = a.series AND o.is_shop
  JOIN monitoring.scan_days d ON d.metric = o.metric AND d.day = a.day
  JOIN monitoring.series r ON r.metric = o.metric
)
SELECT g.series, g.is_shop, g.day, g.day <= $reference_days AS is_reference,
       COALESCE(c.n, 0) AS n, COALESCE(c.x, 0) AS x, CAST(COALESCE(c.usual, 0) AS DOUBLE) AS usual,
       g.shop_n - COALESCE(c.n, 0) AS m, g.shop_x - COALESCE(c.x, 0) AS y, CAST(g.shop_usual - COALESCE(c.usual, 0) AS DOUBLE) AS rest_usual
FROM grid g
LEFT JOIN counts c ON c.series = g.series AND c.day = g.day
