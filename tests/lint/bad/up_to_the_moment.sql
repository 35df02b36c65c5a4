-- expect: time-bound-not-strict
/*---
{name: up_to_the_moment, version: 1, entity: customer, owner: growth, description: up to the moment.,
 columns: {looks_upto: {unit: count, meaning: looks upto}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_upto
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time <= g.as_of
GROUP BY g.customer_id, g.as_of
