-- expect: time-bound-not-strict
/*---
{name: days_since_from_zero, version: 1, entity: customer, owner: growth, description: days since from zero.,
 columns: {looks_30d_epoch: {unit: count, meaning: looks 30d epoch}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_30d_epoch
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
  AND (date_part('epoch', g.as_of) - date_part('epoch', t.event_time)) / 86400 BETWEEN 0 AND 30
GROUP BY g.customer_id, g.as_of
