-- expect: no-time-bound
/*---
{name: bound_of_the_outer_side, version: 1, entity: customer, owner: growth, description: bound of the outer side.,
 columns: {kept_side: {unit: count, meaning: kept side}}}
---*/
-- A condition on the outer side of the join leaves that side's rows as they are.
WITH pairs AS (
  SELECT t.customer_id, t.line, g.as_of
  FROM sources.transactions t LEFT JOIN grain.customer g ON g.customer_id = t.customer_id AND t.event_time < g.as_of
)
SELECT g.customer_id, g.as_of, COUNT(p.line) AS kept_side
FROM grain.customer g LEFT JOIN pairs p ON p.customer_id = g.customer_id
GROUP BY g.customer_id, g.as_of
