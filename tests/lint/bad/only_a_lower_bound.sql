-- expect: no-time-bound
/*---
{name: only_a_lower_bound, version: 1, entity: customer, owner: growth, description: only a lower bound.,
 columns: {looks_recent: {unit: count, meaning: looks recent}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_recent
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
  AND t.event_time >= g.as_of - INTERVAL '30' DAY
GROUP BY g.customer_id, g.as_of
