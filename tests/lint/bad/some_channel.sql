-- expect: unordered-pick
/*---
{name: some_channel, version: 1, entity: customer, owner: growth, description: some channel.,
 columns: {some_channel: {unit: count, meaning: some channel}}}
---*/
SELECT g.customer_id, g.as_of, first_value(t.channel) AS some_channel
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
