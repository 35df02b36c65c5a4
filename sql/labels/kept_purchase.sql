/*---
name: kept_purchase
description: Whether the look led to a purchase within the purchase window that was kept through the return window.
key: [customer_id, product_id, season, as_of]
---*/
WITH purchases AS (
  SELECT p.customer_id, p.product_id, p.season, p.event_time,
         COUNT(r.transaction_id) AS returns
  FROM sources.transactions p
  LEFT JOIN sources.transactions r ON r.order_id = p.order_id AND r.event_type = 'return'
                                  AND r.event_time <= p.event_time + $return_window
  WHERE p.event_type = 'purchase'
  GROUP BY p.customer_id, p.product_id, p.season, p.event_time
)
SELECT g.customer_id, g.product_id, g.season, g.as_of,
       COUNT(p.event_time) FILTER (WHERE p.returns = 0) > 0 AS label,
       -- A look counts once its outcome is known at the point of the split; younger ones are left out on purpose.
       CASE WHEN g.as_of + $purchase_window + $return_window <= s.validation_from THEN 'train'
            WHEN g.as_of < s.validation_from THEN 'left out: not known before validation begins'
            WHEN g.as_of + $purchase_window + $return_window <= s.test_from THEN 'validation'
            WHEN g.as_of < s.test_from THEN 'left out: not known before testing begins'
            WHEN g.as_of + $purchase_window + $return_window <= s.observed_until THEN 'test'
            ELSE 'left out: outcome still open' END AS split
FROM grain.customer_product g
CROSS JOIN split.periods s
LEFT JOIN purchases p ON p.customer_id = g.customer_id AND p.product_id = g.product_id AND p.season = g.season
                     AND p.event_time >= g.as_of AND p.event_time <= g.as_of + $purchase_window
GROUP BY g.customer_id, g.product_id, g.season, g.as_of, s.validation_from, s.test_from, s.observed_until
