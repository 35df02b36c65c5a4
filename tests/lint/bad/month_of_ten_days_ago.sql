-- expect: time-bound-not-strict
/*---
{name: month_of_ten_days_ago, version: 1, entity: product, owner: growth, description: month of ten days ago.,
 columns: {looks: {unit: count, meaning: looks}}}
---*/
WITH monthly AS (
  SELECT p.brand, date_trunc('month', t.event_time) AS month, COUNT(*) AS looks
  FROM sources.transactions t
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
  WHERE t.event_type = 'browse'
  GROUP BY p.brand, date_trunc('month', t.event_time)
)
SELECT g.product_id, g.season, g.as_of, COALESCE(m.looks, 0) AS looks
FROM grain.product g
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
LEFT JOIN monthly m ON m.brand = p.brand AND m.month = date_trunc('month', g.as_of - INTERVAL '10' DAY)
