/*---
name: lists
description: |
  Our lists and the old ones ("others also bought") row by row, with what there is to say of the articles.  An article
  is new for $new_for days; price thirds are those of the catalogue on sale.  `personal`: our list rests on what this
  customer did.
key: [list, customer_id, rank]
---*/
WITH shown AS (
  SELECT 'ours' AS list, customer_id, rank, product_id, season, basis = 'personal' AS from_behaviour FROM recommendations
  UNION ALL
  SELECT 'old', customer_id, CAST(rank AS BIGINT), product_id, season, customers > 0 FROM recommend.also_bought
)
SELECT s.list, s.customer_id, s.rank, s.product_id, s.season, s.from_behaviour, COALESCE(c.personal, false) AS personal,
       o.brand, o.category, o.fulfilment, o.price, o.age
FROM shown s
LEFT JOIN (SELECT customer_id, bool_or(basis = 'personal') AS personal FROM recommendations GROUP BY customer_id) c
  ON c.customer_id = s.customer_id
JOIN exposure.on_sale o ON o.product_id = s.product_id AND o.season = s.season
