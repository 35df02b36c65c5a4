-- expect: open-float-sum
/*---
{name: spend_as_double, version: 1, entity: customer, owner: growth, description: spend as double.,
 columns: {spend_double: {unit: count, meaning: spend double}}}
---*/
SELECT g.customer_id, g.as_of, SUM(CAST(t.amount_eur AS DOUBLE)) AS spend_double
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
