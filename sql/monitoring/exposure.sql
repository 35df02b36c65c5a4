/*---
name: exposure
description: How much each group of articles was seen over the trailing $fairness_window, place 1 counting most, against its share of the articles on sale; against the other groups together.
key: [supply_column, supply_value, shown_on]
---*/
WITH seen AS (
  SELECT s.supply_column, s.supply_value, d.shown_on, SUM(d.shown) AS shown, SUM(d.exposure) AS exposure, SUM(d.squares) AS squares
  FROM monitoring.article_days d
  JOIN monitoring.supply s ON s.product_id = d.product_id AND s.season = d.season
  GROUP BY s.supply_column, s.supply_value, d.shown_on
),
on_sale AS (
  SELECT s.supply_column, s.supply_value, d.shown_on, COUNT(*) AS articles
  FROM monitoring.days d
  JOIN sources.products p ON p.on_sale_from <= d.shown_on AND p.on_sale_until >= d.shown_on
  JOIN monitoring.supply s ON s.product_id = p.product_id AND s.season = p.season
  GROUP BY s.supply_column, s.supply_value, d.shown_on
),
days AS (
  SELECT a.supply_column, a.supply_value, a.shown_on, a.articles, COALESCE(s.shown, 0) AS shown,
         COALESCE(s.exposure, 0) AS exposure, COALESCE(s.squares, 0) AS squares
  FROM on_sale a
  LEFT JOIN seen s ON s.supply_column = a.supply_column AND s.supply_value = a.supply_value AND s.shown_on = a.shown_on
),
-- Article-days: a group whose articles come into the shop in the middle of the window is not held to the whole of it.
trailing AS (
  SELECT d.supply_column, d.supply_value, t.shown_on, MIN(d.shown_on) AS first_day, SUM(d.shown) AS shown,
         SUM(d.articles) AS article_days, SUM(d.exposure) AS exposure, SUM(d.squares) AS squares
  FROM monitoring.days t
  JOIN days d ON d.shown_on <= t.shown_on AND d.shown_on > t.shown_on - $fairness_window
  GROUP BY d.supply_column, d.supply_value, t.shown_on
),
sides AS (
  SELECT *, SUM(article_days) OVER total - article_days AS rest_days, SUM(exposure) OVER total - exposure AS rest_exposure,
         SUM(squares) OVER total - squares AS rest_squares
  FROM trailing
  WINDOW total AS (PARTITION BY supply_column, shown_on)
),
numbers AS (
  SELECT supply_column, supply_value, shown_on, first_day, shown, article_days, rest_days,
         CAST(exposure AS DOUBLE) AS exposure, CAST(squares AS DOUBLE) AS squares,
         CAST(rest_exposure AS DOUBLE) AS rest_exposure, CAST(rest_squares AS DOUBLE) AS rest_squares
  FROM sides
),
ratios AS (
  SELECT *, CASE WHEN rest_exposure > 0 AND rest_days > 0 THEN (exposure / article_days) / (rest_exposure / rest_days) END AS ratio,
         -- Places fall independently of each other: the weights' squares add up as counts do in Katz's interval.
         CASE WHEN exposure > 0 AND rest_exposure > 0 THEN
           sqrt(squares / (exposure * exposure) + rest_squares / (rest_exposure * rest_exposure)) END AS spread
  FROM numbers
)
SELECT supply_column, supply_value, shown_on, first_day, shown, article_days, rest_days, exposure, rest_exposure,
       exposure / NULLIF(exposure + rest_exposure, 0) AS exposure_share,
       CAST(article_days AS DOUBLE) / (article_days + rest_days) AS eligible_share,
       ratio, ratio * exp(-($fairness_z) * spread) AS ratio_lower, ratio * exp($fairness_z * spread) AS ratio_upper,
       CASE WHEN spread IS NULL THEN 'nothing_to_compare'
            WHEN ratio * exp($fairness_z * spread) < $fairness_line THEN 'confirmed_gap'
            WHEN ratio < $fairness_line THEN 'watch'
            ELSE 'no_evidence' END AS state,
       $fairness_line AS line
FROM ratios
