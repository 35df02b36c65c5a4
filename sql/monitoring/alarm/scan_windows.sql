/*---
name: scan_windows
description: How far each segment is from what it should do on every window of watched days with enough to go by.
key: [series, from_day, to_day]
---*/
WITH running AS (
  SELECT series, day, v0, n, x, e, v, d, moved,
         SUM(n) OVER days AS sum_n, SUM(x) OVER days AS sum_x, SUM(e) OVER days AS sum_e,
         SUM(v) OVER days AS sum_v, SUM(d) OVER days AS sum_d, SUM(moved) OVER days AS sum_moved
  FROM monitoring.scan_expected
  WHERE NOT is_reference
  WINDOW days AS (PARTITION BY series ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
-- Every window from day k to day t is a difference of two running sums; only those with enough to go by are kept.
windows AS (
  SELECT t.series, k.day AS from_day, t.day AS to_day, t.v0,
         t.sum_n - k.sum_n + k.n AS n, t.sum_x - k.sum_x + k.x AS x, t.sum_e - k.sum_e + k.e AS expected,
         t.sum_v - k.sum_v + k.v AS v, t.sum_d - k.sum_d + k.d AS d, t.sum_moved - k.sum_moved + k.moved AS moved
  FROM running k
  JOIN running t ON t.series = k.series AND t.day >= k.day
                AND t.sum_e - k.sum_e + k.e >= $enough
                AND t.sum_n - k.sum_n + k.n - (t.sum_e - k.sum_e + k.e) >= $enough
),
judged AS (
  SELECT t.*, COALESCE(f.phi, 1.0) AS phi
  FROM windows t
  JOIN monitoring.series s ON s.series = t.series
  LEFT JOIN monitoring.scan_phi f ON f.metric = s.metric AND f.is_shop = s.is_shop
)
SELECT series, from_day, to_day, n, x, expected, phi,
       (x - expected) / sqrt(d + (phi - 1) * moved + phi * (v * v * v0)) AS z
FROM judged
