-- clean
/*---
{name: mean_of_counts, version: 1, entity: customer, owner: growth, description: mean of counts.,
 columns: {looks_per_day: {unit: count, meaning: looks per day}}}
---*/
WITH days AS (
  SELECT g.customer_id, g.as_of, date_trunc('day', t.event_time) AS day, COUNT(*) AS looks
  FROM grain.customer g JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
  GROUP BY g.customer_id, g.as_of, date_trunc('day', t.event_time)
)
SELECT g.customer_id, g.as_of, CAST(SUM(d.looks) AS DOUBLE) / NULLIF(COUNT(d.day), 0) AS looks_per_day
FROM grain.customer g LEFT JOIN days d ON d.customer_id = g.customer_id AND d.as_of = g.as_of
GROUP BY g.customer_id, g.as_of
