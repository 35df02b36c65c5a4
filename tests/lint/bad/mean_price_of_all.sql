-- expect: whole-table-aggregate
/*---
{name: mean_price_of_all, version: 1, entity: product, owner: growth, description: mean price of all.,
 columns: {dearer: {unit: count, meaning: dearer}}}
---*/
WITH mean AS (SELECT category, AVG(price_eur) AS price FROM sources.products GROUP BY category)
SELECT g.product_id, g.season, g.as_of, CAST(p.price_eur - m.price AS DOUBLE) AS dearer
FROM grain.product g
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
LEFT JOIN mean m ON m.category = p.category
