-- clean
/*---
{name: days_until_the_season_ends, version: 1, entity: product, owner: growth, description: days until the season ends.,
 columns: {days_until_end: {unit: count, meaning: days until end}}}
---*/
SELECT g.product_id, g.season, g.as_of,
       (date_part('epoch', CAST(p.on_sale_until AS TIMESTAMP)) - date_part('epoch', g.as_of)) / 86400 AS days_until_end
FROM grain.product g JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
