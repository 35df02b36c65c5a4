-- clean
/*---
{name: bound_inside_case, version: 1, entity: customer, owner: growth, description: bound inside case.,
 columns: {spend_case: {unit: count, meaning: spend case}}}
---*/
SELECT g.customer_id, g.as_of,
       CAST(SUM(CASE WHEN t.event_time < g.as_of AND t.event_type = 'purchase' THEN t.amount_eur ELSE 0 END) AS DOUBLE) AS spend_case
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
GROUP BY g.customer_id, g.as_of
