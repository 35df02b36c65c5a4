/*---
name: windows
version: 1
entity: customer
owner: growth
description: What the customer did before.
columns:
  events_30d: {unit: events, meaning: events in the 30 days before}
  purchases_90d: {unit: purchases, meaning: purchases in the 90 days before}
  spend_cents_90d: {unit: cents, meaning: paid in the 90 days before}
  last_event: {unit: time, meaning: the last event before}
---*/
SELECT g.customer_id, g.as_of,
       COUNT(*) FILTER (WHERE e.event_time >= g.as_of - INTERVAL '30' DAY) AS events_30d,
       COUNT(*) FILTER (WHERE e.event_type = 'purchase' AND e.event_time >= g.as_of - INTERVAL '90' DAY) AS purchases_90d,
       SUM(e.paid_cents) FILTER (WHERE e.event_type = 'purchase' AND e.event_time >= g.as_of - INTERVAL '90' DAY) AS spend_cents_90d,
       MAX(e.event_time) AS last_event
FROM grain.customer g LEFT JOIN sources.events e ON e.customer_id = g.customer_id AND e.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
