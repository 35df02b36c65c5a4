-- clean
/*---
{name: looks_in_the_month_before, version: 1, entity: product, owner: growth, description: looks in the month before.,
 columns: {looks: {unit: count, meaning: looks}}}
---*/
-- equality with the month before: that month is over
WITH monthly AS (
  SELECT p.brand, date_trunc('month', t.event_time) AS month, COUNT(*) AS looks
  FROM sources.transactions t
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
  WHERE t.event_type = 'browse' AND t.consented
  GROUP BY p.brand, date_trunc('month', t.event_time)
)
SELECT g.product_id, g.season, g.as_of, COALESCE(m.looks, 0) AS looks
FROM grain.product g
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
LEFT JOIN monthly m ON m.brand = p.brand AND m.month = date_trunc('month', g.as_of) - INTERVAL '1' MONTH
