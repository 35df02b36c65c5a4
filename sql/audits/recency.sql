/*---
name: recency
description: A file's youngest row is older than it should be at the export.
severity: warn
---*/
SELECT * FROM (
  SELECT 'transactions' AS source, MAX(event_time) AS youngest FROM sources.transactions
  UNION ALL SELECT 'recommendations', MAX(recommended_at) FROM sources.recommendations
  UNION ALL SELECT 'products', CAST(MAX(on_sale_from) AS TIMESTAMP) FROM sources.products
  UNION ALL SELECT 'customers', CAST(MAX(signup_date) AS TIMESTAMP) FROM sources.customers
)
WHERE youngest IS NULL OR youngest + $stale_after < $exported_at
