-- expect: no-time-bound
/*---
{name: second_join_forgotten, version: 1, entity: customer, owner: growth, description: second join forgotten.,
 columns: {bought: {unit: count, meaning: bought}, sent_back_again: {unit: count, meaning: sent back again}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(DISTINCT p.transaction_id) AS bought, COUNT(DISTINCT r.transaction_id) AS sent_back_again
FROM grain.customer g
LEFT JOIN sources.transactions p ON p.customer_id = g.customer_id AND p.event_type = 'purchase' AND p.event_time < g.as_of
LEFT JOIN sources.transactions r ON r.order_id = p.order_id AND r.event_type = 'return'
GROUP BY g.customer_id, g.as_of
