/*---
name: recency
description: A file's youngest row is older than it should be at the export.
severity: warn
---*/
SELECT n.* FROM (
  SELECT 'transactions' AS source, MAX(event_time) AS youngest FROM sources.transactions
  UNION ALL SELECT 'recommendations', MAX(recommended_at) FROM sources.recommendations
  UNION ALL SELECT 'products', CAST(MAX(on_sale_from) AS TIMESTAMP) FROM sources.products
  UNION ALL SELECT 'customers', CAST(MAX(signup_date) AS TIMESTAMP) FROM sources.customers
) n
LEFT JOIN (SELECT DISTINCT source FROM sources.contract WHERE NOT given AND column_name IN ('*', 'on_sale_from', 'signup_date')) k ON k.source = n.source
WHERE k.source IS NULL AND (n.youngest IS NULL OR n.youngest + $stale_after < $exported_at)
