-- expect: time-bound-not-strict
/*---
{name: the_same_day, version: 1, entity: customer, owner: growth, description: the same day.,
 columns: {same_day: {unit: count, meaning: same day}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS same_day
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
  AND date_trunc('day', t.event_time) <= date_trunc('day', g.as_of)
GROUP BY g.customer_id, g.as_of
