-- expect: open-float-sum
/*---
{name: spread_of_decimals, version: 1, entity: product, owner: growth, description: spread of decimals.,
 columns: {spread: {unit: count, meaning: spread}}}
---*/
-- why: stddev works on doubles: its last bits depend on the order of rows
SELECT g.product_id, g.season, g.as_of, STDDEV(q.price_eur) AS spread
FROM grain.product g
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
LEFT JOIN sources.products q ON q.category = p.category AND CAST(q.on_sale_from AS TIMESTAMP) < g.as_of
      AND CAST(q.on_sale_until AS TIMESTAMP) >= g.as_of
GROUP BY g.product_id, g.season, g.as_of
