-- clean
/*---
{name: looks_90d, version: 1, entity: customer, owner: growth, description: looks 90d.,
 columns: {looks_90d: {unit: count, meaning: looks 90d}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_90d
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_type = 'browse'
  AND t.event_time < g.as_of AND t.event_time >= g.as_of - INTERVAL '90' DAY
GROUP BY g.customer_id, g.as_of
