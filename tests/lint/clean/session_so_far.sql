-- clean
/*---
{name: session_so_far, version: 1, entity: customer, owner: growth, description: session so far.,
 columns: {looks_in_session: {unit: count, meaning: looks in session}}}
---*/
WITH visits AS (
  SELECT g.customer_id, g.as_of, last_value(t.session_id ORDER BY t.event_time, t.transaction_id) AS session_id
  FROM grain.customer g JOIN sources.transactions t ON t.customer_id = g.customer_id
    AND t.event_time < g.as_of AND t.event_time >= g.as_of - INTERVAL '30' MINUTE
  GROUP BY g.customer_id, g.as_of
)
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_in_session
FROM grain.customer g
LEFT JOIN visits v ON v.customer_id = g.customer_id AND v.as_of = g.as_of
LEFT JOIN sources.transactions t ON t.session_id = v.session_id AND t.event_time < v.as_of
GROUP BY g.customer_id, g.as_of
