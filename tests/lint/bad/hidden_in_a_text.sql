-- expect: no-time-bound
/*---
{name: hidden_in_a_text, version: 1, entity: customer, owner: growth, description: hidden in a text.,
 columns: {looks_by_text: {unit: count, meaning: looks by text}}}
---*/
-- Times as texts: a plan does not say that they are times.
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_by_text
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
  AND substr(CAST(t.event_time AS VARCHAR), 1, 7) <= substr(CAST(g.as_of AS VARCHAR), 1, 7)
GROUP BY g.customer_id, g.as_of
