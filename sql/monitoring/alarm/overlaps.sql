/*---
name: overlaps
description: How far two segments are made of the same customers, as the correlation of how far they stand from the shop; for the metrics in which something moved.
key: [first, second]
---*/
WITH profiles AS (
  SELECT c.metric, c.profile, SUM(c.mature) AS n
  FROM monitoring.cohorts c
  JOIN monitoring.suspected k ON k.metric = c.metric
  GROUP BY c.metric, c.profile
),
members AS (
  SELECT m.metric, m.series, m.profile, r.is_shop, CAST(p.n * m.rate * (1 - m.rate) AS DECIMAL(30, 12)) AS v
  FROM monitoring.scan_members m
  JOIN profiles p ON p.metric = m.metric AND p.profile = m.profile
  JOIN monitoring.series r ON r.series = m.series
),
own AS (
  SELECT metric, series, is_shop, CAST(SUM(v) AS DOUBLE) AS v FROM members GROUP BY metric, series, is_shop
),
shares AS (
  SELECT o.metric, o.series, o.v / s.v AS share, s.v AS shop FROM own o JOIN own s ON s.metric = o.metric AND s.is_shop
  WHERE NOT o.is_shop AND o.v > 0 AND o.v < s.v
),
both AS (
  SELECT a.series AS first, b.series AS second, CAST(SUM(a.v) AS DOUBLE) AS v
  FROM members a
  JOIN members b ON b.metric = a.metric AND b.profile = a.profile AND b.series > a.series
  WHERE NOT a.is_shop AND NOT b.is_shop
  GROUP BY a.series, b.series
)
SELECT a.series AS first, b.series AS second,
       (COALESCE(t.v, 0.0) / a.shop - a.share * b.share) / sqrt((a.share - a.share * a.share) * (b.share - b.share * b.share)) AS correlation
FROM shares a
JOIN shares b ON b.metric = a.metric AND b.series > a.series
LEFT JOIN both t ON t.first = a.series AND t.second = b.series
