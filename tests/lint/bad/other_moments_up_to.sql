-- expect: time-bound-not-strict
/*---
{name: other_moments_up_to, version: 1, entity: product, owner: growth, description: other moments up to.,
 columns: {moments_upto: {unit: count, meaning: moments upto}}}
---*/
SELECT g.product_id, g.season, g.as_of, COUNT(m.as_of) AS moments_upto
FROM grain.product g JOIN grain.product m ON m.product_id = g.product_id AND m.season = g.season AND m.as_of <= g.as_of
GROUP BY g.product_id, g.season, g.as_of
