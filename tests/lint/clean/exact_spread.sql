-- clean
/*---
{name: exact_spread, version: 1, entity: customer, owner: growth, description: exact spread.,
 columns: {price_span: {unit: count, meaning: price span}}}
---*/
SELECT g.customer_id, g.as_of, CAST(MAX(t.unit_price_eur) - MIN(t.unit_price_eur) AS DOUBLE) AS price_span
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_type = 'purchase' AND t.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
