-- expect: no-time-bound
/*---
{name: all_looks, version: 1, entity: customer, owner: growth, description: all looks.,
 columns: {looks_all: {unit: count, meaning: looks all}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_all
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_type = 'browse'
GROUP BY g.customer_id, g.as_of
