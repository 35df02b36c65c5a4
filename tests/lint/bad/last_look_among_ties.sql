-- expect: order-with-ties
/*---
{name: last_look_among_ties, version: 1, entity: customer, owner: growth, description: last look among ties.,
 columns: {last_category: {unit: count, meaning: last category}}}
---*/
-- why: ROW_NUMBER by time alone: looks at the same second come in any order
WITH last_look AS (
  SELECT g.customer_id, g.as_of, p.category,
         ROW_NUMBER() OVER (PARTITION BY g.customer_id, g.as_of ORDER BY t.event_time DESC) AS n
  FROM grain.customer g
  JOIN sources.customers c ON c.customer_id = g.customer_id AND c.personalisation_consent
  JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
)
SELECT g.customer_id, g.as_of, l.category AS last_category
FROM grain.customer g
LEFT JOIN last_look l ON l.customer_id = g.customer_id AND l.as_of = g.as_of AND l.n = 1
