-- expect: unordered-pick
/*---
{name: a_thousand_events, version: 1, entity: customer, owner: growth, description: a thousand events.,
 columns: {looks_sampled: {unit: count, meaning: looks sampled}}}
---*/
WITH sample AS (SELECT customer_id, event_time FROM sources.transactions LIMIT 1000)
SELECT g.customer_id, g.as_of, COUNT(s.event_time) AS looks_sampled
FROM grain.customer g LEFT JOIN sample s ON s.customer_id = g.customer_id AND s.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
