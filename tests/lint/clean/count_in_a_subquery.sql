-- clean
/*---
{name: count_in_a_subquery, version: 1, entity: customer, owner: growth, description: count in a subquery.,
 columns: {purchases_sub: {unit: count, meaning: purchases sub}}}
---*/
SELECT g.customer_id, g.as_of,
       (SELECT COUNT(*) FROM sources.transactions t
        WHERE t.customer_id = g.customer_id AND t.event_type = 'purchase' AND t.event_time < g.as_of) AS purchases_sub
FROM grain.customer g
