-- clean
/*---
{name: whole_days_before, version: 1, entity: product, owner: growth, description: whole days before.,
 columns: {looks_of_whole_days: {unit: count, meaning: looks of whole days}}}
---*/
WITH daily AS (
  SELECT product_id, season, date_trunc('day', event_time) AS day, COUNT(*) AS looks
  FROM sources.transactions WHERE event_type = 'browse' AND consented
  GROUP BY product_id, season, date_trunc('day', event_time)
)
SELECT g.product_id, g.season, g.as_of, COALESCE(SUM(d.looks), 0) AS looks_of_whole_days
FROM grain.product g
LEFT JOIN daily d ON d.product_id = g.product_id AND d.season = g.season AND d.day < date_trunc('day', g.as_of)
GROUP BY g.product_id, g.season, g.as_of
