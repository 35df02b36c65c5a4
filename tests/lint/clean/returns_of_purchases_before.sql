-- clean
/*---
{name: returns_of_purchases_before, version: 1, entity: customer, owner: growth, description: returns of purchases before.,
 columns: {sent_back_before: {unit: count, meaning: sent back before}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(DISTINCT r.transaction_id) AS sent_back_before
FROM grain.customer g
LEFT JOIN sources.transactions p ON p.customer_id = g.customer_id AND p.event_type = 'purchase' AND p.event_time < g.as_of
LEFT JOIN sources.transactions r ON r.order_id = p.order_id AND r.event_type = 'return' AND r.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
