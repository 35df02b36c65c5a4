-- clean
/*---
{name: last_channel_by_aggregate, version: 1, entity: customer, owner: growth, description: last channel by aggregate.,
 columns: {last_channel_agg: {unit: count, meaning: last channel agg}}}
---*/
SELECT g.customer_id, g.as_of, last_value(t.channel ORDER BY t.event_time, t.transaction_id) AS last_channel_agg
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
