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
SELECT g.product_id, g.season, g.as_of,
       CAST(p.price_eur AS DOUBLE) / CAST(AVG(q.price_eur) AS DOUBLE) - 1 AS price_in_category,
       ln(CAST(p.price_eur AS DOUBLE)) AS log_price,
       COUNT(q.product_id) AS category_choice
FROM grain.product g
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
LEFT JOIN sources.products q ON q.category = p.category
                            AND CAST(q.on_sale_from AS TIMESTAMP) < g.as_of
                            AND CAST(q.on_sale_until AS TIMESTAMP) + INTERVAL '1' DAY > g.as_of
GROUP BY g.product_id, g.season, g.as_of, p.price_eur
