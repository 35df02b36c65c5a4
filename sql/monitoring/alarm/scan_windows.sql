/*---
name: scan_windows
description: What every window of watched days with enough to go by says of each explanation by one change - the whole shop, or one segment - and how far it lies from none.
key: [series, from_day, to_day]
---*/
WITH running AS (
  SELECT series, shop, is_shop, reference, day, n, x, e, v, d, v * usual AS moved, seen,
         SUM(n) OVER days AS sum_n, SUM(x) OVER days AS sum_x, SUM(e) OVER days AS sum_e, SUM(v) OVER days AS sum_v,
         SUM(d) OVER days AS sum_d, SUM(v * usual) OVER days AS sum_moved, SUM(seen) OVER days AS sum_seen
  FROM monitoring.scan_expected
  WHERE NOT is_reference AND reference > 0
  WINDOW days AS (PARTITION BY series ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
-- Every window from day k to day t is a difference of two running sums.
windows AS (
  SELECT t.series, t.shop, t.is_shop, t.reference, k.day AS from_day, t.day AS to_day,
         t.sum_n - k.sum_n + k.n AS n, t.sum_x - k.sum_x + k.x AS x, t.sum_e - k.sum_e + k.e AS e, t.sum_v - k.sum_v + k.v AS v,
         t.sum_d - k.sum_d + k.d AS d, t.sum_moved - k.sum_moved + k.moved AS moved, t.sum_seen - k.sum_seen + k.seen AS seen
  FROM running k
  JOIN running t ON t.series = k.series AND t.day >= k.day
),
weighed AS (
  SELECT w.series, w.shop, w.is_shop, w.reference, w.from_day, w.to_day, w.n, w.x, w.v, w.d, w.moved, w.seen,
         -- The weekly rhythm is the whole shop's: a segment is held against what the shop did, whatever the weekday.
         CASE WHEN w.is_shop THEN w.e + COALESCE(o.rhythm_e, 0.0) ELSE w.e END AS e,
         CASE WHEN w.is_shop THEN COALESCE(o.phi, 1.0) ELSE COALESCE(f.phi, 1.0) END AS phi
  FROM windows w
  LEFT JOIN monitoring.scan_outside o ON o.shop = w.shop AND o.from_day = w.from_day AND o.to_day = w.to_day
  LEFT JOIN monitoring.scan_phi f ON f.shop = w.shop
),
-- How far the whole shop is from what it should do: the slope of the likelihood and how sharply it bends.
level AS (
  SELECT shop, from_day, to_day, seen, (x - e) * v / variance AS level_score, v * v / variance AS level_info
  FROM (SELECT *, v + (phi - 1) * moved + phi * v * v / reference AS variance FROM weighed WHERE is_shop AND v > 0)
),
-- How far each segment is from what the shop did; the shop's level goes along by the segment's share.
judged AS (
  SELECT w.series, w.shop, w.is_shop, w.from_day, w.to_day, w.n, w.x, w.phi, l.level_score, l.level_info,
         CASE WHEN w.is_shop THEN 0.0 ELSE (w.x - w.e) / (w.phi * (1 + w.d / w.reference)) END AS score,
         CASE WHEN w.is_shop THEN 0.0 ELSE w.d / (w.phi * (1 + w.d / w.reference)) END AS info,
         CASE WHEN w.is_shop THEN 1.0 ELSE w.v / l.seen END AS share,
         -- What the day's shop did holds the segment's own part; without it, that is what was to be expected.
         CASE WHEN w.is_shop THEN w.e ELSE w.x - (w.x - w.e) * w.v / w.d END AS expected
  FROM weighed w
  JOIN level l ON l.shop = w.shop AND l.from_day = w.from_day AND l.to_day = w.to_day
  WHERE w.e >= $enough AND w.n - w.e >= $enough
),
whole AS (
  SELECT *, score + share * level_score AS slope, info + share * share * level_info AS bend FROM judged
)
SELECT series, shop, is_shop, from_day, to_day, n, x, GREATEST(expected, 0.0) AS expected, phi, score, info, share, level_score, level_info, slope, bend,
       slope / sqrt(bend) AS z, CASE WHEN info > 0 THEN score / sqrt(info) ELSE slope / sqrt(bend) END AS apart_z
FROM whole
