-- expect: volatile-function
/*---
{name: today, version: 1, entity: product, owner: growth, description: today.,
 columns: {days_left_today: {unit: count, meaning: days left today}}}
---*/
SELECT g.product_id, g.season, g.as_of, p.on_sale_until > current_date AS days_left_today
FROM grain.product g JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
