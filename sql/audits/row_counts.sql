/*---
name: row_counts
description: A table has fewer rows than it must, or the frame has not one row for each look.
severity: error
---*/
SELECT n.* FROM (
  SELECT 'customers' AS table_name, COUNT(*) AS rows, $least_rows AS expected FROM sources.customers
  UNION ALL SELECT 'products', COUNT(*), $least_rows FROM sources.products
  UNION ALL SELECT 'transactions', COUNT(*), $least_rows FROM sources.transactions
  UNION ALL SELECT 'recommendations', COUNT(*), $least_rows FROM sources.recommendations
) n
LEFT JOIN sources.contract k ON k.source = n.table_name AND k.column_name = '*' AND NOT k.given
WHERE n.rows < n.expected AND k.source IS NULL
UNION ALL
SELECT 'frame', f.rows, l.rows
FROM (SELECT COUNT(*) AS rows FROM frame) f
CROSS JOIN (SELECT COUNT(*) AS rows FROM (SELECT DISTINCT customer_id, product_id, season, event_time FROM sources.transactions WHERE stands_for = 'browse' AND consented)) l
WHERE f.rows <> l.rows
