-- clean
/*---
{name: catalogue_of_the_article, version: 1, entity: product, owner: growth, description: catalogue of the article.,
 columns: {list_price_c: {unit: count, meaning: list price c}, brand_c: {unit: count, meaning: brand c}}}
---*/
SELECT g.product_id, g.season, g.as_of, CAST(p.price_eur AS DOUBLE) AS list_price_c, p.brand AS brand_c
FROM grain.product g JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
