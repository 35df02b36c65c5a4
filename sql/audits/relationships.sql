/*---
name: relationships
description: A row names a customer, an article or an order that is not there.
severity: error
---*/
SELECT 'transactions' AS source, t.transaction_id AS row_id, 'article' AS missing, concat(t.product_id, ' ', t.season) AS value
FROM sources.transactions t
LEFT JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
WHERE p.product_id IS NULL
UNION ALL
SELECT 'transactions', t.transaction_id, 'customer', t.customer_id
FROM sources.transactions t
LEFT JOIN sources.customers c ON c.customer_id = t.customer_id
WHERE c.customer_id IS NULL
UNION ALL
SELECT 'transactions', r.transaction_id, 'order', r.order_id
FROM sources.transactions r
LEFT JOIN sources.transactions p ON p.order_id = r.order_id AND p.product_id = r.product_id AND p.event_type = 'purchase'
WHERE r.event_type = 'return' AND r.order_id IS NOT NULL AND p.order_id IS NULL
UNION ALL
SELECT 'recommendations', r.recommendation_id, 'article', concat(r.product_id, ' ', r.season)
FROM sources.recommendations r
LEFT JOIN sources.products p ON p.product_id = r.product_id AND p.season = r.season
WHERE p.product_id IS NULL
UNION ALL
SELECT 'recommendations', r.recommendation_id, 'customer', r.customer_id
FROM sources.recommendations r
LEFT JOIN sources.customers c ON c.customer_id = r.customer_id
WHERE c.customer_id IS NULL
