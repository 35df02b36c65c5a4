-- clean
/*---
{name: last_look_in_a_subquery, version: 1, entity: customer, owner: growth, description: last look in a subquery.,
 columns: {days_since_sub: {unit: count, meaning: days since sub}}}
---*/
SELECT g.customer_id, g.as_of,
       (date_part('epoch', g.as_of) - date_part('epoch', (SELECT MAX(t.event_time) FROM sources.transactions t
          WHERE t.customer_id = g.customer_id AND t.event_type = 'browse' AND t.event_time < g.as_of))) / 86400 AS days_since_sub
FROM grain.customer g
