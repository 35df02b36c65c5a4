-- clean
/*---
{name: seconds_before, version: 1, entity: customer, owner: growth, description: seconds before.,
 columns: {looks_epoch: {unit: count, meaning: looks epoch}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_epoch
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
  AND date_part('epoch', g.as_of) - date_part('epoch', t.event_time) > 0
GROUP BY g.customer_id, g.as_of
