-- expect: no-time-bound
/*---
{name: number_without_season, version: 1, entity: product, owner: growth, description: number without season.,
 columns: {same_number: {unit: count, meaning: same number}}}
---*/
-- The number alone is no article: later seasons' articles carry it too.
SELECT g.product_id, g.season, g.as_of, COUNT(p.season) AS same_number
FROM grain.product g
LEFT JOIN sources.products p ON p.product_id = g.product_id
GROUP BY g.product_id, g.season, g.as_of
