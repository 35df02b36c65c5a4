/*---
name: offered
description: |
  What is on sale on a day and may be sent to a country: it depends on the day and the country, not on the customer.
key: [country, today, product_id, season]
---*/
WITH days AS (SELECT DISTINCT country, today FROM recommend.whole),
asked AS (
  SELECT d.country, d.today, p.product_id, p.season
  FROM days d
  JOIN sources.products p ON p.on_sale_from <= d.today AND p.on_sale_until >= d.today
  -- Of a shelf that is too long to be ranked whole, no more is asked for than is ranked.
  UNION ALL
  SELECT DISTINCT a.country, a.today, r.product_id, r.season
  FROM recommend.retrieved r
  JOIN recommend.audience a ON a.customer_id = r.customer_id AND a.as_of = r.as_of
  LEFT JOIN days d ON d.country = a.country AND d.today = a.today
  WHERE d.today IS NULL
)
SELECT a.country, a.today, p.product_id, p.season, p.first_season, p.brand,
       CAST(p.on_sale_from AS TIMESTAMP) > CAST(a.today AS TIMESTAMP) - $new_for AS new
FROM asked a
JOIN sources.products p ON p.product_id = a.product_id AND p.season = a.season
WHERE p.on_sale_from <= a.today AND p.on_sale_until >= a.today
  AND concat(';', replace(p.ships_to, ' ', ''), ';') LIKE concat('%;', a.country, ';%')
