/*---
name: return_after_purchase
description: A return names no purchase, another season than its purchase, or comes before it.
severity: error
---*/
SELECT r.transaction_id, r.order_id
FROM sources.transactions r
LEFT JOIN sources.transactions p ON p.order_id = r.order_id AND p.product_id = r.product_id AND p.event_type = 'purchase'
WHERE r.event_type = 'return' AND r.order_id IS NOT NULL AND (p.order_id IS NULL OR p.season <> r.season OR p.event_time > r.event_time)
