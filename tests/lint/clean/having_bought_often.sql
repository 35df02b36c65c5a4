-- clean
/*---
{name: having_bought_often, version: 1, entity: customer, owner: growth, description: having bought often.,
 columns: {brands_bought_twice: {unit: count, meaning: brands bought twice}}}
---*/
WITH often AS (
  SELECT g.customer_id, g.as_of, p.brand
  FROM grain.customer g
  JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_type = 'purchase' AND t.event_time < g.as_of
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
  GROUP BY g.customer_id, g.as_of, p.brand
  HAVING COUNT(*) >= 2
)
SELECT g.customer_id, g.as_of, COUNT(o.brand) AS brands_bought_twice
FROM grain.customer g LEFT JOIN often o ON o.customer_id = g.customer_id AND o.as_of = g.as_of
GROUP BY g.customer_id, g.as_of
