-- expect: no-time-bound
/*---
{name: bound_the_wrong_way, version: 1, entity: product, owner: growth, description: bound the wrong way.,
 columns: {purchases_later: {unit: count, meaning: purchases later}}}
---*/
SELECT g.product_id, g.season, g.as_of, COUNT(t.line) AS purchases_later
FROM grain.product g
LEFT JOIN sources.transactions t ON t.product_id = g.product_id AND t.season = g.season
  AND g.as_of < t.event_time AND t.event_type = 'purchase'
GROUP BY g.product_id, g.season, g.as_of
