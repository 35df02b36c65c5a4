-- clean
/*---
{name: at_most_the_moment, version: 1, entity: product, owner: growth, description: at most the moment.,
 columns: {sold: {unit: count, meaning: sold}}}
---*/
-- LEAST(as_of, …) is at most as_of
SELECT g.product_id, g.season, g.as_of, COUNT(t.line) AS sold
FROM grain.product g
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
LEFT JOIN sources.transactions t ON t.product_id = g.product_id AND t.season = g.season AND t.event_type = 'purchase' AND t.consented
      AND t.event_time < LEAST(g.as_of, CAST(p.on_sale_from AS TIMESTAMP) + INTERVAL '28' DAY)
GROUP BY g.product_id, g.season, g.as_of
