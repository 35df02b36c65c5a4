-- expect: no-time-bound
/*---
{name: zeros_counted_too, version: 1, entity: product, owner: growth, description: zeros counted too.,
 columns: {looks: {unit: count, meaning: looks}}}
---*/
-- why: COUNT counts the ELSE 0 of rows after as_of as well
SELECT g.product_id, g.season, g.as_of,
       COUNT(CASE WHEN t.event_time < g.as_of THEN 1 ELSE 0 END) AS looks
FROM grain.product g
LEFT JOIN sources.transactions t ON t.product_id = g.product_id AND t.season = g.season AND t.event_type = 'browse'
GROUP BY g.product_id, g.season, g.as_of
