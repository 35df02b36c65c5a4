-- clean
/*---
{name: counted_in_a_cte, version: 1, entity: customer, owner: growth, description: counted in a cte.,
 columns: {bought_before: {unit: purchases, meaning: purchases before}}}
---*/
WITH bought AS (
  SELECT g.customer_id, g.as_of, COUNT(*) AS purchases
  FROM grain.customer g
  JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_type = 'purchase' AND t.event_time < g.as_of
  GROUP BY g.customer_id, g.as_of
)
SELECT g.customer_id, g.as_of, COALESCE(b.purchases, 0) AS bought_before
FROM grain.customer g
LEFT JOIN bought b ON b.customer_id = g.customer_id AND b.as_of = g.as_of
