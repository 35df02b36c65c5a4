-- clean
/*---
{name: dates_before, version: 1, entity: customer, owner: growth, description: dates before.,
 columns: {days_with_looks: {unit: count, meaning: days with looks}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(DISTINCT CAST(t.event_time AS DATE)) AS days_with_looks
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
  AND t.event_type = 'browse' AND CAST(t.event_time AS DATE) < CAST(g.as_of AS DATE)
GROUP BY g.customer_id, g.as_of
