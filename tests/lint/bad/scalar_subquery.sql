-- expect: no-time-bound
/*---
{name: scalar_subquery, version: 1, entity: customer, owner: growth, description: scalar subquery.,
 columns: {last_channel_time: {unit: count, meaning: last channel time}}}
---*/
SELECT g.customer_id, g.as_of,
       (SELECT MAX(t.event_time) FROM sources.transactions t WHERE t.customer_id = g.customer_id) AS last_channel_time
FROM grain.customer g
