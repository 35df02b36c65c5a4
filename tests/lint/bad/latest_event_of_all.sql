-- expect: window-looks-ahead
/*---
{name: latest_event_of_all, version: 1, entity: customer, owner: growth, description: latest event of all.,
 columns: {last_kind: {unit: count, meaning: last kind}}}
---*/
WITH latest AS (
  SELECT customer_id, event_type, event_time,
         ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY event_time DESC, transaction_id) AS nth
  FROM sources.transactions
)
SELECT g.customer_id, g.as_of, l.event_type AS last_kind
FROM grain.customer g
LEFT JOIN latest l ON l.customer_id = g.customer_id AND l.nth = 1 AND l.event_time < g.as_of
