-- expect: no-time-bound
/*---
{name: events_and_wishes, version: 1, entity: customer, owner: growth, description: events and wishes.,
 columns: {actions: {unit: count, meaning: actions}}}
---*/
WITH actions AS (
  SELECT customer_id, event_time AS at FROM sources.transactions WHERE event_type = 'purchase'
  UNION ALL
  SELECT customer_id, event_time AS at FROM sources.transactions WHERE event_type = 'wishlist'
)
SELECT g.customer_id, g.as_of, COUNT(a.at) AS actions
FROM grain.customer g LEFT JOIN actions a ON a.customer_id = g.customer_id
GROUP BY g.customer_id, g.as_of
