-- clean
/*---
{name: interval_as_parameter, version: 1, entity: customer, owner: growth, description: interval as parameter.,
 columns: {purchases_in_return_window: {unit: count, meaning: purchases in return window}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS purchases_in_return_window
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_type = 'purchase'
  AND t.event_time < g.as_of AND t.event_time > g.as_of - $return_window
GROUP BY g.customer_id, g.as_of
