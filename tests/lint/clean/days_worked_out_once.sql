-- clean
/*---
{name: days_worked_out_once, version: 1, entity: product, owner: growth, description: days worked out once.,
 columns: {brand_days: {unit: count, meaning: brand days}}}
---*/
WITH days AS (
  SELECT DISTINCT p.brand, date_trunc('day', g.as_of) AS today
  FROM grain.product g JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
),
counted AS (
  SELECT d.brand, d.today, COUNT(DISTINCT date_trunc('day', t.event_time)) AS active
  FROM days d
  JOIN sources.products p ON p.brand = d.brand AND CAST(p.on_sale_from AS TIMESTAMP) < d.today
  JOIN sources.transactions t ON t.product_id = p.product_id AND t.season = p.season AND t.event_time < d.today AND t.consented
  GROUP BY d.brand, d.today
)
SELECT g.product_id, g.season, g.as_of, COALESCE(c.active, 0) AS brand_days
FROM grain.product g
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
LEFT JOIN counted c ON c.brand = p.brand AND c.today = date_trunc('day', g.as_of)
