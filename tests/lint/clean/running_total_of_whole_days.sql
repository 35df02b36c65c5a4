-- clean
/*---
{name: running_total_of_whole_days, version: 1, entity: customer, owner: growth, description: running total of whole days.,
 columns: {shop_looks: {unit: count, meaning: shop looks}}}
---*/
-- a running total looks back only, and whole days before today are taken from it
WITH daily AS (
  SELECT CAST(event_time AS DATE) AS day, COUNT(*) AS n FROM sources.transactions WHERE event_type = 'browse' AND consented GROUP BY CAST(event_time AS DATE)
), running AS (
  SELECT day, SUM(n) OVER (ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS total FROM daily
)
SELECT g.customer_id, g.as_of, MAX(r.total) AS shop_looks
FROM grain.customer g
LEFT JOIN running r ON r.day < CAST(g.as_of AS DATE)
GROUP BY g.customer_id, g.as_of
