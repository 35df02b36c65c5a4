-- clean
/*---
{name: same_number_before, version: 1, entity: product, owner: growth, description: same number before.,
 columns: {seasons_before: {unit: count, meaning: seasons before}}}
---*/
SELECT g.product_id, g.season, g.as_of, COUNT(p.season) AS seasons_before
FROM grain.product g
LEFT JOIN sources.products p ON p.product_id = g.product_id AND p.season <> g.season AND CAST(p.on_sale_from AS TIMESTAMP) < g.as_of
GROUP BY g.product_id, g.season, g.as_of
