-- expect: open-float-sum
/*---
{name: spread_of_prices, version: 1, entity: product, owner: growth, description: spread of prices.,
 columns: {price_spread: {unit: count, meaning: price spread}}}
---*/
SELECT g.product_id, g.season, g.as_of, stddev(CAST(q.price_eur AS DOUBLE)) AS price_spread
FROM grain.product g
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
LEFT JOIN sources.products q ON q.category = p.category AND CAST(q.on_sale_from AS TIMESTAMP) < g.as_of
GROUP BY g.product_id, g.season, g.as_of
