/*---
name: candidates
description: |
  Every customer with every article that is on sale at the export and may be sent to them, less what they already own.
  An article that came back in a later season is still the same thing to own.
key: [customer_id, product_id, season]
---*/
WITH owned AS (
  SELECT t.customer_id, t.product_id, p.first_season
  FROM sources.transactions t
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
  WHERE t.event_type IN ('purchase', 'return') AND t.event_time < $exported_at
  GROUP BY t.customer_id, t.product_id, p.first_season
  HAVING SUM(CASE WHEN t.event_type = 'purchase' THEN t.quantity ELSE -t.quantity END) > 0
)
SELECT a.customer_id, p.product_id, p.season, p.brand, a.personal, a.region,
       CAST(p.on_sale_from AS TIMESTAMP) > CAST($exported_on AS TIMESTAMP) - $new_for AS new
FROM recommend.audience a
CROSS JOIN sources.products p
LEFT JOIN owned o ON a.personal AND o.customer_id = a.customer_id AND o.product_id = p.product_id AND o.first_season = p.first_season
WHERE p.on_sale_from <= $exported_on AND p.on_sale_until >= $exported_on
  AND concat(';', replace(p.ships_to, ' ', ''), ';') LIKE concat('%;', a.country, ';%')
  AND o.customer_id IS NULL
