/*---
name: coverage
description: |
  How much of the catalogue each list shows, and how alike the lists of two customers are: two customers drawn at random
  from an audience share so many articles.  `everybody` is every customer, `personal` those served from what they did.
key: [list, audience]
---*/
WITH lists AS (
  SELECT list, 'everybody' AS audience, customer_id, product_id, season, age FROM exposure.lists
  UNION ALL
  SELECT list, 'personal', customer_id, product_id, season, age FROM exposure.lists WHERE personal
),
sizes AS (
  SELECT list, audience, COUNT(DISTINCT customer_id) AS customers, COUNT(*) AS places,
         COUNT(*) FILTER (WHERE age = 'new') AS new_places
  FROM lists GROUP BY list, audience
),
articles AS (
  SELECT list, audience, product_id, season, COUNT(*) AS shown FROM lists GROUP BY list, audience, product_id, season
),
ranked AS (
  SELECT list, audience, shown, ROW_NUMBER() OVER (PARTITION BY list, audience ORDER BY shown DESC, product_id, season) AS place
  FROM articles
),
summed AS (
  SELECT list, audience, COUNT(*) AS articles_shown, SUM(shown * (shown - 1)) AS shared_pairs,
         SUM(shown) FILTER (WHERE place <= 10) AS top_places
  FROM ranked GROUP BY list, audience
)
SELECT s.list, s.audience, z.customers, z.places, s.articles_shown, c.articles_on_sale,
       CAST(s.shared_pairs AS DOUBLE) / NULLIF(z.customers * (z.customers - 1), 0) AS articles_in_common,
       CAST(s.top_places AS DOUBLE) / z.places AS top_share,
       CAST(z.new_places AS DOUBLE) / z.places AS new_share
FROM summed s
JOIN sizes z ON z.list = s.list AND z.audience = s.audience
CROSS JOIN (SELECT COUNT(*) AS articles_on_sale FROM exposure.on_sale) c
