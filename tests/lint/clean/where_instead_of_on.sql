-- clean
/*---
{name: where_instead_of_on, version: 1, entity: customer, owner: growth, description: where instead of on.,
 columns: {purchases_before: {unit: count, meaning: purchases before}}}
---*/
WITH before AS (
  SELECT g.customer_id, g.as_of, COUNT(*) AS purchases
  FROM grain.customer g, sources.transactions t
  WHERE t.customer_id = g.customer_id AND t.event_type = 'purchase' AND t.event_time < g.as_of
  GROUP BY g.customer_id, g.as_of
)
SELECT g.customer_id, g.as_of, COALESCE(b.purchases, 0) AS purchases_before
FROM grain.customer g LEFT JOIN before b ON b.customer_id = g.customer_id AND b.as_of = g.as_of
