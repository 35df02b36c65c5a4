/*---
name: explanations
description: What the likelihood gains by each explanation of the watched days over that nothing changed, on the window where it fits best - by one change (second is first), or by two together, the whole shop among them.
key: [first, second]
---*/
WITH windows AS (
  SELECT w.*, CASE WHEN w.to_day < MAX(w.to_day) OVER (PARTITION BY w.shop) THEN $ended_counts ELSE 1.0 END AS counts
  FROM monitoring.scan_windows w
  JOIN monitoring.series s ON s.series = w.series
  JOIN monitoring.suspected k ON k.metric = s.metric
),
twos AS (
  SELECT a.series AS first, b.series AS second, a.from_day, a.to_day, a.counts, a.slope AS a, a.bend AS ia, b.slope AS b, b.bend AS ib,
         COALESCE(o.correlation, 0.0) * sqrt(a.info * b.info) + a.share * b.share * a.level_info AS mutual
  FROM windows a
  JOIN windows b ON b.shop = a.shop AND b.from_day = a.from_day AND b.to_day = a.to_day AND b.series > a.series
  LEFT JOIN monitoring.overlaps o ON o.first = a.series AND o.second = b.series
),
explained AS (
  SELECT series AS first, series AS second, from_day, to_day, counts * counts * slope * slope / bend AS gain, 1.0 AS alike FROM windows
  UNION ALL
  SELECT first, second, from_day, to_day, counts * counts * (a * a * ib - 2 * a * b * mutual + b * b * ia) / (ia * ib - mutual * mutual), mutual / sqrt(ia * ib)
  FROM twos
  -- Two that are the same customers are no pair: nothing tells them apart.
  WHERE abs(mutual) < 0.999 * sqrt(ia * ib)
),
ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY first, second ORDER BY gain DESC, from_day, to_day DESC) AS place FROM explained
)
SELECT s.metric, r.first, r.second, r.from_day, r.to_day, r.gain, r.alike
FROM ranked r
JOIN monitoring.series s ON s.series = r.first
WHERE r.place = 1
