/*---
name: kept_purchase
description: Whether the look led to a purchase within the purchase window that was kept through the return window.
key: [customer_id, product_id, season, as_of]
---*/
WITH purchases AS (
  SELECT p.customer_id, p.product_id, p.season, p.event_time,
         COUNT(r.transaction_id) AS returns
  FROM sources.transactions p
  LEFT JOIN sources.transactions r ON r.order_id = p.order_id AND r.product_id = p.product_id AND r.event_type = 'return'
                                  AND r.event_time <= p.event_time + $return_window
  WHERE p.event_type = 'purchase'
  GROUP BY p.customer_id, p.product_id, p.season, p.event_time
),
-- What was bought or came back while events are missing is not known.
unseen AS (
  SELECT DISTINCT g.customer_id, g.product_id, g.season, g.as_of
  FROM grain.customer_product g
  JOIN split.gaps h ON h.kind IN ('event', 'purchase', 'return') AND CAST(h.first_after AS TIMESTAMP) > g.as_of
                   AND CAST(h.last_before AS TIMESTAMP) + INTERVAL '1' DAY
                       <= g.as_of + $purchase_window + CASE WHEN h.kind = 'purchase' THEN INTERVAL '0' DAY ELSE $return_window END
)
SELECT g.customer_id, g.product_id, g.season, g.as_of,
       COUNT(p.event_time) FILTER (WHERE p.returns = 0) > 0 AS label,
       -- A look counts once its outcome is known at the point of the split; younger ones are left out on purpose.
       CASE WHEN u.as_of IS NOT NULL THEN 'left out: events are missing in its windows'
            WHEN g.as_of + $purchase_window + $return_window <= s.validation_from THEN 'train'
            WHEN g.as_of < s.validation_from THEN 'left out: not known before validation begins'
            WHEN g.as_of + $purchase_window + $return_window <= s.test_from THEN 'validation'
            WHEN g.as_of < s.test_from THEN 'left out: not known before testing begins'
            WHEN g.as_of + $purchase_window + $return_window <= s.observed_until THEN 'test'
            ELSE 'left out: outcome still open' END AS split
FROM grain.customer_product g
CROSS JOIN split.periods s
LEFT JOIN unseen u ON u.customer_id = g.customer_id AND u.product_id = g.product_id AND u.season = g.season AND u.as_of = g.as_of
LEFT JOIN purchases p ON p.customer_id = g.customer_id AND p.product_id = g.product_id AND p.season = g.season
                     AND p.event_time >= g.as_of AND p.event_time <= g.as_of + $purchase_window
GROUP BY g.customer_id, g.product_id, g.season, g.as_of, u.as_of, s.validation_from, s.test_from, s.observed_until
