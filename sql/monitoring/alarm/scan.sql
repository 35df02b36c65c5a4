/*---
name: scan
description: The watched stretch of days on which each segment is furthest from what it should do, of all stretches with enough to go by.
key: [metric, run, segment_column, segment_value]
---*/
WITH running AS (
  SELECT metric, run, segment_column, segment_value, is_shop, day, v0, n, x, e, v, d,
         SUM(n) OVER days AS sum_n, SUM(x) OVER days AS sum_x, SUM(e) OVER days AS sum_e,
         SUM(v) OVER days AS sum_v, SUM(d) OVER days AS sum_d
  FROM monitoring.scan_expected
  WHERE NOT is_reference
  WINDOW days AS (PARTITION BY metric, run, segment_column, segment_value ORDER BY day
                  ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
-- Every stretch from day k to day t is a difference of two running sums.
stretches AS (
  SELECT t.metric, t.run, t.segment_column, t.segment_value, t.is_shop, k.day AS from_day, t.day AS to_day, t.v0,
         t.sum_n - k.sum_n + k.n AS n, t.sum_x - k.sum_x + k.x AS x, t.sum_e - k.sum_e + k.e AS expected,
         t.sum_v - k.sum_v + k.v AS v, t.sum_d - k.sum_d + k.d AS d
  FROM running k
  JOIN running t ON t.metric = k.metric AND t.run = k.run AND t.segment_column = k.segment_column
                AND t.segment_value = k.segment_value AND t.day >= k.day
),
scored AS (
  SELECT s.metric, s.run, s.segment_column, s.segment_value, s.from_day, s.to_day, s.n, s.x, s.expected,
         COALESCE(f.phi, 1.0) AS phi,
         (s.x - s.expected) / sqrt(COALESCE(f.phi, 1.0) * (s.d + s.v * s.v * s.v0)) AS z
  FROM stretches s
  LEFT JOIN monitoring.scan_phi f ON f.metric = s.metric AND f.run = s.run AND f.is_shop = s.is_shop
  WHERE s.expected >= $enough AND s.n - s.expected >= $enough
),
ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY metric, run, segment_column, segment_value
                               ORDER BY abs(z) DESC, from_day, to_day DESC) AS place
  FROM scored
)
SELECT metric, run, segment_column, segment_value, from_day, to_day, n, x, expected, phi, z
FROM ranked WHERE place = 1
