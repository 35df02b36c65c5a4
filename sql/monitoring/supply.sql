/*---
name: supply
description: The groups of articles that ought to be shown as often as there are articles in them; a UNION more is a group more.
key: [product_id, season, supply_column]
---*/
WITH brands AS (
  SELECT brand, COUNT(*) AS articles, CAST(SUM(price_eur) AS DOUBLE) / COUNT(*) AS mean_price
  FROM sources.products WHERE brand IS NOT NULL
  GROUP BY brand
),
-- The catalogue names no tiers of brands, so brands are put in thirds: by how many articles they have, and by their prices.
tiers AS (
  SELECT brand, NTILE(3) OVER (ORDER BY articles DESC, brand) AS size_tier, NTILE(3) OVER (ORDER BY mean_price DESC, brand) AS price_tier
  FROM brands
)
SELECT product_id, season, 'sender' AS supply_column, COALESCE(fulfilment, 'not given') AS supply_value
FROM sources.products
UNION ALL
SELECT p.product_id, p.season, 'brand size',
       CASE t.size_tier WHEN 1 THEN 'large brands' WHEN 2 THEN 'middling brands' WHEN 3 THEN 'small brands' ELSE 'not given' END
FROM sources.products p LEFT JOIN tiers t ON t.brand = p.brand
UNION ALL
SELECT p.product_id, p.season, 'brand price',
       CASE t.price_tier WHEN 1 THEN 'dear brands' WHEN 2 THEN 'middling prices' WHEN 3 THEN 'cheap brands' ELSE 'not given' END
FROM sources.products p LEFT JOIN tiers t ON t.brand = p.brand
