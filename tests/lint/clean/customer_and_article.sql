-- clean
/*---
{name: customer_and_article, version: 1, entity: customer_product, owner: growth, description: customer and article.,
 columns: {same_band: {unit: count, meaning: same band}}}
---*/
SELECT g.customer_id, g.product_id, g.season, g.as_of,
       (c.price_band = 'premium') = (p.price_eur > 100) AS same_band
FROM grain.customer_product g
JOIN sources.customers c ON c.customer_id = g.customer_id
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
