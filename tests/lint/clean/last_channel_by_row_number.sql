-- clean
/*---
{name: last_channel_by_row_number, version: 1, entity: customer, owner: growth, description: last channel by row number.,
 columns: {last_channel_rn: {unit: count, meaning: last channel rn}}}
---*/
WITH ranked AS (
  SELECT g.customer_id, g.as_of, t.channel,
         ROW_NUMBER() OVER (PARTITION BY g.customer_id, g.as_of ORDER BY t.event_time DESC, t.transaction_id) AS nth
  FROM grain.customer g JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
)
SELECT g.customer_id, g.as_of, r.channel AS last_channel_rn
FROM grain.customer g LEFT JOIN ranked r ON r.customer_id = g.customer_id AND r.as_of = g.as_of AND r.nth = 1
