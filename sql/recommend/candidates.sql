/*---
name: candidates
description: |
  The shelf: every customer who is asked for with every article that is on sale at that moment and may be sent to them,
  less what they own by then.  An article that came back in a later season is still the same thing to own.  Training,
  evaluation and serving read this one file.
key: [customer_id, as_of, product_id, season]
---*/
WITH owned AS (
  SELECT a.customer_id, a.as_of, e.product_id, e.first_season
  FROM recommend.audience a
  JOIN interactions.events e ON e.customer_id = a.customer_id AND e.event_time < a.as_of
  WHERE a.personal AND e.event_type IN ('purchase', 'return')
  GROUP BY a.customer_id, a.as_of, e.product_id, e.first_season
  HAVING SUM(CASE WHEN e.event_type = 'purchase' THEN e.quantity ELSE -e.quantity END) > 0
),
-- What is on sale and sent there depends on the day and the country, not on the customer.
days AS (SELECT DISTINCT country, today FROM recommend.audience),
offered AS (
  SELECT d.country, d.today, p.product_id, p.season, p.first_season, p.brand,
         CAST(p.on_sale_from AS TIMESTAMP) > CAST(d.today AS TIMESTAMP) - $new_for AS new
  FROM days d
  JOIN sources.products p ON p.on_sale_from <= d.today AND p.on_sale_until >= d.today
  WHERE concat(';', replace(p.ships_to, ' ', ''), ';') LIKE concat('%;', d.country, ';%')
)
SELECT a.customer_id, a.as_of, p.product_id, p.season, p.first_season, p.brand, a.personal, a.region, p.new
FROM recommend.audience a
JOIN offered p ON p.country = a.country AND p.today = a.today
LEFT JOIN owned o ON o.customer_id = a.customer_id AND o.as_of = a.as_of
                 AND o.product_id = p.product_id AND o.first_season = p.first_season
WHERE o.customer_id IS NULL
