-- expect: window-looks-ahead
/*---
{name: next_event_in_the_log, version: 1, entity: customer, owner: growth, description: next event in the log.,
 columns: {bought_next: {unit: count, meaning: bought next}}}
---*/
WITH followed AS (
  SELECT customer_id, event_time, event_type,
         LEAD(event_type) OVER (PARTITION BY customer_id ORDER BY event_time, transaction_id) AS next_type
  FROM sources.transactions
)
SELECT g.customer_id, g.as_of, COUNT(f.event_time) FILTER (WHERE f.next_type = 'purchase') AS bought_next
FROM grain.customer g LEFT JOIN followed f ON f.customer_id = g.customer_id AND f.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
