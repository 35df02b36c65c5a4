-- expect: frame-touches-peers
/*---
{name: timeline_with_current_row, version: 1, entity: customer, owner: growth, description: timeline with current row.,
 columns: {bought_before_now: {unit: count, meaning: bought before now}}}
---*/
WITH line AS (
  SELECT customer_id, as_of AS at, 0 AS bought, true AS asked FROM grain.customer
  UNION ALL
  SELECT customer_id, event_time AS at, 1 AS bought, false AS asked FROM sources.transactions WHERE event_type = 'purchase'
),
summed AS (SELECT customer_id, at, asked, SUM(bought) OVER (PARTITION BY customer_id ORDER BY at) AS bought FROM line)
SELECT customer_id, at AS as_of, bought AS bought_before_now FROM summed WHERE asked
