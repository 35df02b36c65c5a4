/*---
name: last_paid
version: 1
entity: customer
owner: growth
description: The last value before the moment.
columns:
  last_cents: {unit: cents, meaning: paid in the last event before}
---*/
SELECT g.customer_id, g.as_of, last_value(e.paid_cents ORDER BY e.event_time) AS last_cents
FROM grain.customer g LEFT JOIN sources.events e ON e.customer_id = g.customer_id AND e.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
