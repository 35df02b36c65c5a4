-- clean
/*---
{name: timeline_of_before, version: 1, entity: customer, owner: growth, description: timeline of before.,
 columns: {bought_until: {unit: count, meaning: bought until}}}
---*/
WITH line AS (
  SELECT customer_id, as_of AS at, 0 AS bought, true AS asked FROM grain.customer
  UNION ALL
  SELECT customer_id, event_time AS at, 1 AS bought, false AS asked FROM sources.transactions WHERE event_type = 'purchase'
),
summed AS (
  SELECT customer_id, at, asked,
         SUM(bought) OVER (PARTITION BY customer_id ORDER BY at
                           RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL '1 microsecond' PRECEDING) AS bought
  FROM line
)
SELECT customer_id, at AS as_of, COALESCE(bought, 0) AS bought_until FROM summed WHERE asked
