-- clean
/*---
{name: most_frequent_category, version: 1, entity: customer, owner: growth, description: most frequent category.,
 columns: {usual_category: {unit: count, meaning: usual category}}}
---*/
WITH counted AS (
  SELECT g.customer_id, g.as_of, p.category, COUNT(*) AS looks
  FROM grain.customer g
  JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
  GROUP BY g.customer_id, g.as_of, p.category
),
ranked AS (
  SELECT customer_id, as_of, category, ROW_NUMBER() OVER (PARTITION BY customer_id, as_of ORDER BY looks DESC, category) AS place
  FROM counted
)
SELECT g.customer_id, g.as_of, r.category AS usual_category
FROM grain.customer g LEFT JOIN ranked r ON r.customer_id = g.customer_id AND r.as_of = g.as_of AND r.place = 1
