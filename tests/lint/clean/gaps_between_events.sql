-- clean
/*---
{name: gaps_between_events, version: 1, entity: customer, owner: growth, description: gaps between events.,
 columns: {longest_gap: {unit: count, meaning: longest gap}}}
---*/
WITH gaps AS (
  SELECT customer_id, event_time,
         date_part('epoch', event_time) - date_part('epoch', LAG(event_time) OVER (PARTITION BY customer_id ORDER BY event_time, transaction_id)) AS seconds
  FROM sources.transactions
)
SELECT g.customer_id, g.as_of, MAX(x.seconds) / 86400 AS longest_gap
FROM grain.customer g LEFT JOIN gaps x ON x.customer_id = g.customer_id AND x.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
