-- clean
/*---
{name: bound_inside_each_filter, version: 1, entity: customer, owner: growth, description: bound inside each filter.,
 columns: {bought_f: {unit: count, meaning: bought f}, returned_f: {unit: count, meaning: returned f}}}
---*/
SELECT g.customer_id, g.as_of,
       COUNT(t.line) FILTER (WHERE t.event_type = 'purchase' AND t.event_time < g.as_of) AS bought_f,
       COUNT(t.line) FILTER (WHERE t.event_time < g.as_of AND t.event_type = 'return') AS returned_f
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
GROUP BY g.customer_id, g.as_of
