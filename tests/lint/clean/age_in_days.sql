-- clean
/*---
{name: age_in_days, version: 1, entity: customer, owner: growth, description: age in days.,
 columns: {looks_by_age: {unit: count, meaning: looks by age}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_by_age
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
  AND (date_part('epoch', g.as_of) - date_part('epoch', t.event_time)) / 86400 BETWEEN 1 AND 30
GROUP BY g.customer_id, g.as_of
