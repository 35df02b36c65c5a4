-- expect: time-bound-not-strict
/*---
{name: between_with_both_ends, version: 1, entity: product, owner: growth, description: between with both ends.,
 columns: {looks_30: {unit: count, meaning: looks 30}}}
---*/
SELECT g.product_id, g.season, g.as_of, COUNT(t.line) AS looks_30
FROM grain.product g
LEFT JOIN sources.transactions t ON t.product_id = g.product_id AND t.season = g.season
  AND t.event_time BETWEEN g.as_of - INTERVAL '30' DAY AND g.as_of
GROUP BY g.product_id, g.season, g.as_of
