-- clean
/*---
{name: rivals_on_sale, version: 1, entity: product, owner: growth, description: rivals on sale.,
 columns: {rivals_on_sale: {unit: count, meaning: rivals on sale}}}
---*/
SELECT g.product_id, g.season, g.as_of, COUNT(q.product_id) AS rivals_on_sale
FROM grain.product g
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
LEFT JOIN sources.products q ON q.category = p.category AND CAST(q.on_sale_from AS TIMESTAMP) < g.as_of AND q.on_sale_until > CAST(g.as_of AS DATE)
GROUP BY g.product_id, g.season, g.as_of
