-- clean
/*---
{name: rank_among_those_before, version: 1, entity: product, owner: growth, description: rank among those before.,
 columns: {price_place: {unit: count, meaning: price place}}}
---*/
WITH rivals AS (
  SELECT g.product_id, g.season, g.as_of, q.product_id AS other, q.season AS other_season,
         RANK() OVER (PARTITION BY g.product_id, g.season, g.as_of ORDER BY q.price_eur) AS place
  FROM grain.product g
  JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
  JOIN sources.products q ON q.category = p.category AND CAST(q.on_sale_from AS TIMESTAMP) < g.as_of
)
SELECT g.product_id, g.season, g.as_of, r.place AS price_place
FROM grain.product g
LEFT JOIN rivals r ON r.product_id = g.product_id AND r.season = g.season AND r.as_of = g.as_of
                  AND r.other = g.product_id AND r.other_season = g.season
