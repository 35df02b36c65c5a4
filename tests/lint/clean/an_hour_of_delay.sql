-- clean
/*---
{name: an_hour_of_delay, version: 1, entity: customer, owner: growth, description: an hour of delay.,
 columns: {looks_settled: {unit: count, meaning: looks settled}}}
---*/
-- The log reaches us an hour late, so the last hour is left out; its end may count.
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_settled
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time <= g.as_of - INTERVAL '1' HOUR
GROUP BY g.customer_id, g.as_of
