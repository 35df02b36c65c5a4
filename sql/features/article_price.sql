/*---
name: article_price
version: 2
entity: product
owner: catalogue
description: The article's price against others of its category that were on sale before this moment.
columns:
  price_in_category:
    {unit: share, meaning: "list price against the mean of its category: 0.2 is 20 % dearer", driver: price,
     reasons: [{say: "{percent} % below similar articles", below: -0.045},
               {say: "a finer piece among {category}", above: 0.2}]}
  log_price: {unit: log EUR, meaning: logarithm of the list price, driver: price}
  category_choice: {unit: articles, meaning: how many articles of its category were on sale}
---*/
-- What a category has on sale changes with the day, and is worked out once for each: the last day that had begun before the
-- moment, and the day of the moment, which differ at midnight.
WITH moments AS (
  SELECT g.product_id, g.season, g.as_of, p.category, p.price_eur,
         CAST(g.as_of - INTERVAL '1' NANOSECOND AS DATE) AS begun, CAST(g.as_of AS DATE) AS today
  FROM grain.product g
  JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
),
days AS (SELECT DISTINCT category, begun, today FROM moments),
categories AS (
  SELECT d.category, d.begun, d.today, CAST(AVG(q.price_eur) AS DOUBLE) AS price, COUNT(q.product_id) AS articles
  FROM days d
  LEFT JOIN sources.products q ON q.category = d.category AND q.on_sale_from <= d.begun AND q.on_sale_until >= d.today
  GROUP BY d.category, d.begun, d.today
)
SELECT m.product_id, m.season, m.as_of,
       CAST(m.price_eur AS DOUBLE) / c.price - 1 AS price_in_category,
       ln(CAST(m.price_eur AS DOUBLE)) AS log_price,
       COALESCE(c.articles, 0) AS category_choice
FROM moments m
LEFT JOIN categories c ON c.category = m.category AND c.begun = m.begun AND c.today = m.today
