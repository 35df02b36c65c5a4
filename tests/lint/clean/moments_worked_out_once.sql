-- clean
/*---
{name: moments_worked_out_once, version: 1, entity: customer_product, owner: growth, description: moments worked out once.,
 columns: {customer_looks: {unit: count, meaning: customer looks}}}
---*/
WITH moments AS (SELECT DISTINCT customer_id, as_of FROM grain.customer_product),
counted AS (
  SELECT m.customer_id, m.as_of, COUNT(t.line) AS looks
  FROM moments m LEFT JOIN sources.transactions t ON t.customer_id = m.customer_id AND t.event_time < m.as_of
  GROUP BY m.customer_id, m.as_of
)
SELECT g.customer_id, g.product_id, g.season, g.as_of, c.looks AS customer_looks
FROM grain.customer_product g LEFT JOIN counted c ON c.customer_id = g.customer_id AND c.as_of = g.as_of
