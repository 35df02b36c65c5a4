-- expect: whole-table-aggregate
/*---
{name: rank_by_price, version: 1, entity: product, owner: growth, description: rank by price.,
 columns: {price_rank: {unit: count, meaning: price rank}}}
---*/
WITH ranked AS (
  SELECT product_id, season, RANK() OVER (PARTITION BY category ORDER BY price_eur) AS price_rank FROM sources.products
)
SELECT g.product_id, g.season, g.as_of, r.price_rank
FROM grain.product g LEFT JOIN ranked r ON r.product_id = g.product_id AND r.season = g.season
