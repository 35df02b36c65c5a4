-- expect: no-time-bound
/*---
{name: either_or, version: 1, entity: customer, owner: growth, description: either or.,
 columns: {looks_or_web: {unit: count, meaning: looks or web}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_or_web
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND (t.event_time < g.as_of OR t.channel = 'web')
GROUP BY g.customer_id, g.as_of
