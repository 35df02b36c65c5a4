/*---
name: brand_record
version: 1
entity: product
owner: catalogue
description: How the article's brand did in the year before this moment, all its articles together.
columns:
  brand_looks_1y: {unit: looks, meaning: looks at the brand in the year before, driver: brand}
  brand_purchase_share: {unit: share, meaning: purchases for each look at the brand, driver: brand}
  brand_return_share: {unit: share, meaning: share of the brand's purchases sent back, driver: brand}
---*/
WITH events AS (
  SELECT p.brand, t.event_time, t.event_type
  FROM sources.transactions t
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
)
SELECT g.product_id, g.season, g.as_of,
       COUNT(e.event_time) FILTER (WHERE e.event_type = 'browse') AS brand_looks_1y,
       CAST(COUNT(e.event_time) FILTER (WHERE e.event_type = 'purchase') AS DOUBLE)
         / NULLIF(COUNT(e.event_time) FILTER (WHERE e.event_type = 'browse'), 0) AS brand_purchase_share,
       CAST(COUNT(e.event_time) FILTER (WHERE e.event_type = 'return') AS DOUBLE)
         / NULLIF(COUNT(e.event_time) FILTER (WHERE e.event_type = 'purchase'), 0) AS brand_return_share
FROM grain.product g
JOIN sources.products a ON a.product_id = g.product_id AND a.season = g.season
LEFT JOIN events e ON e.brand = a.brand AND e.event_time < g.as_of AND e.event_time >= g.as_of - INTERVAL '365' DAY
GROUP BY g.product_id, g.season, g.as_of
