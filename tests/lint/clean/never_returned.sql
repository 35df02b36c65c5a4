-- clean
/*---
{name: never_returned, version: 1, entity: customer, owner: growth, description: never returned.,
 columns: {never_returned: {unit: count, meaning: never returned}}}
---*/
SELECT g.customer_id, g.as_of,
       NOT EXISTS (SELECT * FROM sources.transactions t
                   WHERE t.customer_id = g.customer_id AND t.event_type = 'return' AND t.event_time < g.as_of) AS never_returned
FROM grain.customer g
