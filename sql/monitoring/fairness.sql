/*---
name: fairness
description: Each group of customers against the rest of the shop over the trailing $fairness_window, day by day - ratio with Katz interval, and what may be said of it.
key: [metric, segment_column, segment_value, shown_on]
---*/
WITH trailing AS (
  SELECT t.metric, d.segment_column, d.segment_value, t.shown_on, MIN(d.shown_on) AS first_day,
         SUM(d.mature) AS n, SUM(d.mature_yes) AS x
  FROM monitoring.daily t
  JOIN monitoring.daily d ON d.metric = t.metric AND d.shown_on <= t.shown_on AND d.shown_on > t.shown_on - $fairness_window
  WHERE t.segment_column = 'shop' AND t.mature > 0
  GROUP BY t.metric, d.segment_column, d.segment_value, t.shown_on
),
sides AS (
  SELECT s.metric, s.segment_column, s.segment_value, s.shown_on, a.first_day, s.n, s.x, a.n - s.n AS rest_n, a.x - s.x AS rest_x
  FROM trailing s
  JOIN trailing a ON a.metric = s.metric AND a.shown_on = s.shown_on AND a.segment_column = 'shop'
  JOIN monitoring.segment_columns c ON c.segment_column = s.segment_column AND c.owner = 'customers'
),
-- Where a count is 0, half a success and one chance are added on both sides.
smoothed AS (
  SELECT *, CASE WHEN x = 0 OR rest_x = 0 THEN 0.5 ELSE 0.0 END AS half FROM sides
),
ratios AS (
  SELECT *, CASE WHEN n > 0 AND rest_n > 0 THEN (x + half) / (n + 2 * half) / ((rest_x + half) / (rest_n + 2 * half)) END AS ratio,
         CASE WHEN n > 0 AND rest_n > 0 THEN
           sqrt(GREATEST(1 / (x + half) - 1 / (n + 2 * half) + 1 / (rest_x + half) - 1 / (rest_n + 2 * half), 0.0)) END AS spread
  FROM smoothed
),
ranges AS (
  SELECT *, ratio * exp(-($fairness_z) * spread) AS ratio_lower, ratio * exp($fairness_z * spread) AS ratio_upper FROM ratios
)
SELECT metric, segment_column, segment_value, shown_on, first_day, n, x, rest_n, rest_x,
       CAST(x AS DOUBLE) / NULLIF(n, 0) AS confirmed_rate, CAST(rest_x AS DOUBLE) / NULLIF(rest_n, 0) AS confirmed_rest,
       ratio, ratio_lower, ratio_upper,
       CASE WHEN ratio IS NULL THEN 'nothing_to_compare'
            WHEN ratio_upper < $fairness_line THEN 'confirmed_gap'
            WHEN ratio < $fairness_line THEN 'watch'
            ELSE 'no_evidence' END AS state,
       $fairness_line AS line
FROM ranges
