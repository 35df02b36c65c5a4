-- clean
/*---
{name: hours_against_days, version: 1, entity: customer, owner: growth, description: hours against days.,
 columns: {hours_active: {unit: count, meaning: hours active}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(DISTINCT date_trunc('hour', t.event_time)) AS hours_active
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
  AND date_trunc('hour', t.event_time) < date_trunc('day', g.as_of)
GROUP BY g.customer_id, g.as_of
