-- clean
/*---
{name: brands_in_order, version: 1, entity: customer, owner: growth, description: brands in order.,
 columns: {brands_ordered: {unit: count, meaning: brands ordered}}}
---*/
WITH brands AS (
  SELECT DISTINCT g.customer_id, g.as_of, p.brand
  FROM grain.customer g
  JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
)
SELECT g.customer_id, g.as_of, string_agg(b.brand, ', ' ORDER BY b.brand) AS brands_ordered
FROM grain.customer g LEFT JOIN brands b ON b.customer_id = g.customer_id AND b.as_of = g.as_of
GROUP BY g.customer_id, g.as_of
