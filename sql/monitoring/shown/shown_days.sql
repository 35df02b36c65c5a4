/*---
name: shown_days
description: What was shown on each day by what the articles are like - how many recommendations, and the sum of the number (or how many have the value); the same for the articles on sale.
key: [attribute, value, shown_on]
---*/
WITH days AS (
  SELECT s.shown_on, SUM(a.shown) AS shown
  FROM (SELECT DISTINCT shown_on FROM monitoring.shown_spans) s
  JOIN monitoring.article_days a ON a.shown_on = s.shown_on
  GROUP BY s.shown_on
),
-- Articles that come and go on the same days are counted as one.
stock AS (
  SELECT attribute, value, holds_from, holds_until, COUNT(*) AS articles, SUM(amount) AS total
  FROM monitoring.article_attributes GROUP BY attribute, value, holds_from, holds_until
),
on_sale AS (
  SELECT s.attribute, s.value, d.shown_on, SUM(s.articles) AS articles, SUM(s.total) AS total
  FROM days d
  JOIN stock s ON s.holds_from <= d.shown_on AND s.holds_until >= d.shown_on
  GROUP BY s.attribute, s.value, d.shown_on
),
whole AS (
  SELECT d.shown_on, d.shown, SUM(p.articles) AS articles
  FROM days d
  JOIN (SELECT on_sale_from, on_sale_until, COUNT(*) AS articles FROM sources.products GROUP BY on_sale_from, on_sale_until) p
    ON p.on_sale_from <= d.shown_on AND p.on_sale_until >= d.shown_on
  GROUP BY d.shown_on, d.shown
),
seen AS (
  SELECT t.attribute, t.value, a.shown_on, SUM(a.shown) AS shown, SUM(a.shown * t.amount) AS total,
         SUM(CAST(a.shown * t.amount * t.amount AS DECIMAL(38, 4))) AS squares
  FROM monitoring.article_days a
  JOIN days d ON d.shown_on = a.shown_on
  JOIN monitoring.article_attributes t ON t.product_id = a.product_id AND t.season = a.season AND t.holds_from <= a.shown_on AND t.holds_until >= a.shown_on
  GROUP BY t.attribute, t.value, a.shown_on
),
-- A day on which a value was not shown is a day with none of it.
grid AS (
  SELECT v.attribute, v.value, w.shown_on, w.shown, w.articles
  FROM (SELECT attribute, value FROM on_sale UNION SELECT attribute, value FROM seen) v CROSS JOIN whole w
)
SELECT g.attribute, g.value, g.shown_on,
       CASE WHEN g.value = '' THEN COALESCE(s.shown, 0) ELSE g.shown END AS shown,
       CAST(COALESCE(s.total, 0) AS DOUBLE) AS total, CAST(COALESCE(s.squares, 0) AS DOUBLE) AS squares,
       CASE WHEN g.value = '' THEN COALESCE(o.articles, 0) ELSE g.articles END AS on_sale,
       CAST(COALESCE(o.total, 0) AS DOUBLE) AS on_sale_total
FROM grid g
LEFT JOIN seen s ON s.attribute = g.attribute AND s.value = g.value AND s.shown_on = g.shown_on
LEFT JOIN on_sale o ON o.attribute = g.attribute AND o.value = g.value AND o.shown_on = g.shown_on
