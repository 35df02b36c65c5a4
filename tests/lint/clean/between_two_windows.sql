-- clean
/*---
{name: between_two_windows, version: 1, entity: customer, owner: growth, description: between two windows.,
 columns: {looks_month_before_last: {unit: count, meaning: looks month before last}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_month_before_last
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
  AND t.event_time BETWEEN g.as_of - INTERVAL '60' DAY AND g.as_of - INTERVAL '30' DAY
GROUP BY g.customer_id, g.as_of
