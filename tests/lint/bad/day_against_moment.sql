-- expect: time-bound-not-strict
/*---
{name: day_against_moment, version: 1, entity: product, owner: growth, description: day against moment.,
 columns: {looks_of_days: {unit: count, meaning: looks of days}}}
---*/
WITH daily AS (
  SELECT product_id, season, CAST(event_time AS DATE) AS day, COUNT(*) AS looks
  FROM sources.transactions WHERE event_type = 'browse'
  GROUP BY product_id, season, CAST(event_time AS DATE)
)
SELECT g.product_id, g.season, g.as_of, SUM(d.looks) AS looks_of_days
FROM grain.product g
LEFT JOIN daily d ON d.product_id = g.product_id AND d.season = g.season AND d.day < g.as_of
GROUP BY g.product_id, g.season, g.as_of
