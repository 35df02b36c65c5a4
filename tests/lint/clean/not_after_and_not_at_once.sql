-- clean
/*---
{name: not_after_and_not_at_once, version: 1, entity: product, owner: growth, description: not after and not at once.,
 columns: {returns: {unit: count, meaning: returns}}}
---*/
-- <= and <> together are <
SELECT g.product_id, g.season, g.as_of, COUNT(t.line) AS returns
FROM grain.product g
LEFT JOIN sources.transactions t ON t.product_id = g.product_id AND t.season = g.season AND t.event_type = 'return' AND t.consented
      AND t.event_time <= g.as_of AND t.event_time <> g.as_of
GROUP BY g.product_id, g.season, g.as_of
