/*---
name: offered
description: |
  What is on sale on a day and may be sent to a country: it depends on the day and the country, not on the customer.
key: [country, today, product_id, season]
---*/
WITH days AS (SELECT DISTINCT country, today FROM recommend.audience)
SELECT d.country, d.today, p.product_id, p.season, p.first_season, p.brand,
       CAST(p.on_sale_from AS TIMESTAMP) > CAST(d.today AS TIMESTAMP) - $new_for AS new
FROM days d
JOIN sources.products p ON p.on_sale_from <= d.today AND p.on_sale_until >= d.today
WHERE concat(';', replace(p.ships_to, ' ', ''), ';') LIKE concat('%;', d.country, ';%')
