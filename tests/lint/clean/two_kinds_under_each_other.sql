-- clean
/*---
{name: two_kinds_under_each_other, version: 1, entity: customer, owner: growth, description: two kinds under each other.,
 columns: {actions_before: {unit: count, meaning: actions before}}}
---*/
WITH actions AS (
  SELECT customer_id, event_time AS at FROM sources.transactions WHERE event_type = 'purchase'
  UNION ALL
  SELECT customer_id, event_time AS at FROM sources.transactions WHERE event_type = 'wishlist'
)
SELECT g.customer_id, g.as_of, COUNT(a.at) AS actions_before
FROM grain.customer g LEFT JOIN actions a ON a.customer_id = g.customer_id AND a.at < g.as_of
GROUP BY g.customer_id, g.as_of
