-- expect: whole-table-aggregate
/*---
{name: standardised_with_all_rows, version: 1, entity: customer, owner: growth, description: standardised with all rows.,
 columns: {looks_scaled: {unit: count, meaning: looks scaled}}}
---*/
WITH looks AS (
  SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks
  FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
  GROUP BY g.customer_id, g.as_of
)
SELECT customer_id, as_of, looks - AVG(looks) OVER () AS looks_scaled FROM looks
