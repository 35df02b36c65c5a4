-- expect: frame-touches-peers
/*---
{name: running_count, version: 1, entity: customer, owner: growth, description: running count.,
 columns: {looks_so_far: {unit: count, meaning: looks so far}}}
---*/
SELECT customer_id, as_of, COUNT(*) OVER (PARTITION BY customer_id ORDER BY as_of) AS looks_so_far
FROM grain.customer
