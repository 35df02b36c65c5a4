/*---
name: reference_looks
description: |
  Every look by the rules of the tool in reference.sql, so that the report can say what its rules alone are worth: a
  purchase counts unless its order ever came back, outcomes are taken as they stand, and whatever lies before the test is
  learned from.  Delete this file where there is no such tool.
key: [customer_id, product_id, season, as_of]
---*/
WITH kept AS (
  SELECT p.customer_id, p.product_id, p.season, p.event_time
  FROM sources.transactions p
  LEFT JOIN sources.transactions r ON r.order_id = p.order_id AND r.product_id = p.product_id AND r.event_type = 'return'
  WHERE p.event_type = 'purchase'
  GROUP BY p.customer_id, p.product_id, p.season, p.event_time
  HAVING COUNT(r.transaction_id) = 0
)
SELECT f.customer_id, f.product_id, f.season, f.as_of,
       COUNT(k.event_time) > 0 AS their_label,
       CASE WHEN f.as_of < s.test_from THEN 'train' ELSE 'test' END AS their_side
FROM frame f
CROSS JOIN split.periods s
LEFT JOIN kept k ON k.customer_id = f.customer_id AND k.product_id = f.product_id AND k.season = f.season
                AND k.event_time >= f.as_of AND k.event_time <= f.as_of + $purchase_window
GROUP BY f.customer_id, f.product_id, f.season, f.as_of, s.test_from
