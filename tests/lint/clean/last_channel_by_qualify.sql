-- clean
/*---
{name: last_channel_by_qualify, version: 1, entity: customer, owner: growth, description: last channel by qualify.,
 columns: {last_channel_q: {unit: count, meaning: last channel q}}}
---*/
WITH latest AS (
  SELECT g.customer_id, g.as_of, t.channel
  FROM grain.customer g JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
  QUALIFY ROW_NUMBER() OVER (PARTITION BY g.customer_id, g.as_of ORDER BY t.event_time DESC, t.transaction_id) = 1
)
SELECT g.customer_id, g.as_of, l.channel AS last_channel_q
FROM grain.customer g LEFT JOIN latest l ON l.customer_id = g.customer_id AND l.as_of = g.as_of
