-- clean
/*---
{name: returns_for_each_purchase, version: 1, entity: customer, owner: growth, description: returns for each purchase.,
 columns: {returns_for_each: {unit: share, meaning: returns for each purchase before}}}
---*/
SELECT g.customer_id, g.as_of,
       CAST(COUNT(t.line) FILTER (WHERE t.event_type = 'return') AS DOUBLE)
         / NULLIF(COUNT(t.line) FILTER (WHERE t.event_type = 'purchase'), 0) AS returns_for_each
FROM grain.customer g
LEFT JOIN sources.transactions t ON g.as_of > t.event_time AND t.customer_id = g.customer_id
GROUP BY g.customer_id, g.as_of
