/*---
name: filters
description: |
  Of every article and customer asked for, which filter keeps it off the shelf; NULL where none does.  It answers
  `selvedge why-not`; the shelf itself is sql/recommend/candidates.sql, which a rule that changes here changes with.
key: [customer_id, as_of, product_id, season]
---*/
WITH owned AS (
  SELECT a.customer_id, a.as_of, e.product_id, e.first_season
  FROM recommend.audience a
  JOIN interactions.events e ON e.customer_id = a.customer_id AND e.event_time < a.as_of
  WHERE a.personal AND e.event_type IN ('purchase', 'return')
  GROUP BY a.customer_id, a.as_of, e.product_id, e.first_season
  HAVING SUM(CASE WHEN e.event_type = 'purchase' THEN e.quantity ELSE -e.quantity END) > 0
)
SELECT a.customer_id, a.as_of, p.product_id, p.season,
       CASE WHEN p.on_sale_from > a.today THEN concat('it is on sale only from ', CAST(p.on_sale_from AS VARCHAR), ' on')
            WHEN p.on_sale_until < a.today THEN concat('it was on sale until ', CAST(p.on_sale_until AS VARCHAR))
            WHEN concat(';', replace(p.ships_to, ' ', ''), ';') NOT LIKE concat('%;', a.country, ';%')
              OR p.ships_to IS NULL THEN concat('it is not sent to ', a.country)
            WHEN o.customer_id IS NOT NULL THEN 'the customer owns it' END AS kept_out
FROM recommend.audience a
CROSS JOIN sources.products p
LEFT JOIN owned o ON o.customer_id = a.customer_id AND o.as_of = a.as_of
                 AND o.product_id = p.product_id AND o.first_season = p.first_season
