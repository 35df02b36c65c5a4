/*---
name: scan_counts
description: Each segment's day and the whole shop's, with what their mix of customers would usually do.
key: [series, day]
---*/
WITH counts AS (
  SELECT m.series, d.day, SUM(c.mature) AS n, SUM(c.mature_yes) AS x, SUM(CAST(c.mature * m.rate AS DECIMAL(30, 12))) AS usual
  FROM monitoring.cohorts c
  JOIN monitoring.scan_members m ON m.metric = c.metric AND m.profile = c.profile
  JOIN monitoring.days d ON d.shown_on = c.shown_on
  GROUP BY m.series, d.day
),
-- A segment that nobody saw on a day has a row of zeros, so that its days stay in step with the others'.
grid AS (
  SELECT r.series, o.series AS shop, r.is_shop, a.day
  FROM counts a
  JOIN monitoring.series o ON o.series = a.series AND o.is_shop
  JOIN monitoring.scan_days d ON d.metric = o.metric AND d.day = a.day
  JOIN monitoring.series r ON r.metric = o.metric
  WHERE a.n > 0
)
SELECT g.series, g.shop, g.is_shop, g.day, CAST(date_part('dow', d.shown_on) AS BIGINT) AS weekday, g.day <= $reference_days AS is_reference,
       COALESCE(c.n, 0) AS n, COALESCE(c.x, 0) AS x, CAST(COALESCE(c.usual, 0) AS DOUBLE) AS usual
FROM grid g
JOIN monitoring.days d ON d.day = g.day
LEFT JOIN counts c ON c.series = g.series AND c.day = g.day
