-- expect: window-looks-ahead
/*---
{name: moment_left_out_of_partition, version: 1, entity: customer, owner: growth, description: moment left out of partition.,
 columns: {last_channel: {unit: count, meaning: last channel}}}
---*/
WITH ranked AS (
  SELECT g.customer_id, g.as_of, t.channel,
         ROW_NUMBER() OVER (PARTITION BY g.customer_id ORDER BY g.as_of DESC, t.event_time DESC, t.transaction_id) AS nth
  FROM grain.customer g JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
)
SELECT g.customer_id, g.as_of, r.channel AS last_channel
FROM grain.customer g LEFT JOIN ranked r ON r.customer_id = g.customer_id AND r.nth = 1
