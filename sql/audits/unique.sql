/*---
name: unique
description: Something that stands for one thing stands there more than once.
severity: error
---*/
SELECT 'customers' AS source, 'customer_id' AS column_name, customer_id AS value, COUNT(*) AS times FROM sources.customers GROUP BY customer_id HAVING COUNT(*) > 1
UNION ALL
SELECT 'products', 'product_id, season', concat(product_id, ' ', season), COUNT(*) FROM sources.products GROUP BY product_id, season HAVING COUNT(*) > 1
UNION ALL
SELECT 'transactions', 'transaction_id', transaction_id, COUNT(*) FROM sources.transactions GROUP BY transaction_id HAVING COUNT(*) > 1
UNION ALL
SELECT 'transactions', 'order_id, product_id of purchases', concat(order_id, ' ', product_id), COUNT(*) FROM sources.transactions WHERE event_type = 'purchase' AND order_id IS NOT NULL GROUP BY order_id, product_id HAVING COUNT(*) > 1
UNION ALL
SELECT 'transactions', 'customer of a session_id', session_id, COUNT(DISTINCT customer_id) FROM sources.transactions WHERE session_id IS NOT NULL GROUP BY session_id HAVING COUNT(DISTINCT customer_id) > 1
UNION ALL
SELECT 'recommendations', 'recommendation_id', recommendation_id, COUNT(*) FROM sources.recommendations GROUP BY recommendation_id HAVING COUNT(*) > 1
