-- expect: no-time-bound
/*---
{name: bound_by_the_day_after, version: 1, entity: customer, owner: growth, description: bound by the day after.,
 columns: {looks_near: {unit: count, meaning: looks near}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_near
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
  AND t.event_time BETWEEN g.as_of - INTERVAL '1' DAY AND g.as_of + INTERVAL '1' DAY
GROUP BY g.customer_id, g.as_of
