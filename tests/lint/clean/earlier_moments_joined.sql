-- clean
/*---
{name: earlier_moments_joined, version: 1, entity: customer_product, owner: growth, description: earlier moments joined.,
 columns: {other_articles: {unit: count, meaning: other articles}}}
---*/
SELECT g.customer_id, g.product_id, g.season, g.as_of, COUNT(DISTINCT m.product_id) AS other_articles
FROM grain.customer_product g
LEFT JOIN grain.customer_product m ON m.customer_id = g.customer_id AND m.product_id <> g.product_id AND m.as_of < g.as_of
GROUP BY g.customer_id, g.product_id, g.season, g.as_of
