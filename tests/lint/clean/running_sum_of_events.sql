-- clean
/*---
{name: running_sum_of_events, version: 1, entity: customer, owner: growth, description: running sum of events.,
 columns: {most_spent_so_far: {unit: count, meaning: most spent so far}}}
---*/
WITH running AS (
  SELECT customer_id, event_time, SUM(amount_eur) OVER (PARTITION BY customer_id ORDER BY event_time) AS spent
  FROM sources.transactions WHERE event_type = 'purchase'
)
SELECT g.customer_id, g.as_of, CAST(MAX(r.spent) AS DOUBLE) AS most_spent_so_far
FROM grain.customer g LEFT JOIN running r ON r.customer_id = g.customer_id AND r.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
