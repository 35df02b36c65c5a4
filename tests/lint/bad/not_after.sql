-- expect: time-bound-not-strict
/*---
{name: not_after, version: 1, entity: customer, owner: growth, description: not after.,
 columns: {not_after: {unit: count, meaning: not after}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS not_after
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND NOT (t.event_time > g.as_of)
GROUP BY g.customer_id, g.as_of
