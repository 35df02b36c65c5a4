-- clean
/*---
{name: list_in_order, version: 1, entity: customer, owner: growth, description: list in order.,
 columns: {articles_in_order: {unit: count, meaning: articles in order}}}
---*/
SELECT g.customer_id, g.as_of, array_to_string(array_agg(t.product_id ORDER BY t.event_time, t.transaction_id), ',') AS articles_in_order
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
  AND t.event_time >= g.as_of - INTERVAL '3' DAY
GROUP BY g.customer_id, g.as_of
