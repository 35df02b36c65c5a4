-- clean
/*---
{name: looks_before_the_purchase, version: 1, entity: customer, owner: growth, description: looks before the purchase.,
 columns: {looks_until_purchase: {unit: count, meaning: looks until purchase}}}
---*/
-- Bounded by the purchase, which is bounded by the moment.
SELECT g.customer_id, g.as_of, COUNT(DISTINCT l.transaction_id) AS looks_until_purchase
FROM grain.customer g
LEFT JOIN sources.transactions p ON p.customer_id = g.customer_id AND p.event_type = 'purchase' AND p.event_time < g.as_of
LEFT JOIN sources.transactions l ON l.customer_id = p.customer_id AND l.product_id = p.product_id
                                AND l.event_type = 'browse' AND l.event_time <= p.event_time
GROUP BY g.customer_id, g.as_of
