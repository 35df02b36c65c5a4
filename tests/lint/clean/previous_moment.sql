-- clean
/*---
{name: previous_moment, version: 1, entity: customer, owner: growth, description: previous moment.,
 columns: {days_since_moment: {unit: count, meaning: days since moment}}}
---*/
SELECT customer_id, as_of,
       (date_part('epoch', as_of) - date_part('epoch', LAG(as_of) OVER (PARTITION BY customer_id ORDER BY as_of))) / 86400 AS days_since_moment
FROM grain.customer
