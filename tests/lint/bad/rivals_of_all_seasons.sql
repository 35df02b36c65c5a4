-- expect: no-time-bound
/*---
{name: rivals_of_all_seasons, version: 1, entity: product, owner: growth, description: rivals of all seasons.,
 columns: {rivals: {unit: count, meaning: rivals}}}
---*/
SELECT g.product_id, g.season, g.as_of, COUNT(q.product_id) AS rivals
FROM grain.product g
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
LEFT JOIN sources.products q ON q.category = p.category AND q.product_id <> p.product_id
GROUP BY g.product_id, g.season, g.as_of
