/*---
name: not_null
description: A column that others rely on has rows without a value.
severity: error
---*/
SELECT n.* FROM (
  SELECT 'customers' AS source, 'personalisation_consent' AS column_name, COUNT(*) - COUNT(personalisation_consent) AS rows_without FROM sources.customers
  UNION ALL SELECT 'customers', 'region', COUNT(*) - COUNT(region) FROM sources.customers
  UNION ALL SELECT 'customers', 'country', COUNT(*) - COUNT(country) FROM sources.customers
  UNION ALL SELECT 'products', 'brand', COUNT(*) - COUNT(brand) FROM sources.products
  UNION ALL SELECT 'products', 'category', COUNT(*) - COUNT(category) FROM sources.products
  UNION ALL SELECT 'products', 'price_eur', COUNT(*) - COUNT(price_eur) FROM sources.products
  UNION ALL SELECT 'products', 'ships_to', COUNT(*) - COUNT(ships_to) FROM sources.products
  UNION ALL SELECT 'products', 'first_season', COUNT(*) - COUNT(first_season) FROM sources.products
  UNION ALL SELECT 'transactions', 'event_time', COUNT(*) - COUNT(event_time) FROM sources.transactions
  UNION ALL SELECT 'transactions', 'season', COUNT(*) - COUNT(season) FROM sources.transactions
  UNION ALL SELECT 'transactions', 'unit_price_eur of a purchase or return', COUNT(*) FILTER (WHERE unit_price_eur IS NULL) FROM sources.transactions WHERE event_type IN ('purchase', 'return')
  UNION ALL SELECT 'transactions', 'order_id of a purchase or return', COUNT(*) FILTER (WHERE order_id IS NULL) FROM sources.transactions WHERE event_type IN ('purchase', 'return')
  UNION ALL SELECT 'recommendations', 'recommended_at', COUNT(*) - COUNT(recommended_at) FROM sources.recommendations
  UNION ALL SELECT 'recommendations', 'season', COUNT(*) - COUNT(season) FROM sources.recommendations
) n
-- What the export does not have at all is told elsewhere.
LEFT JOIN sources.contract k ON k.source = n.source AND k.column_name = split_part(n.column_name, ' ', 1) AND NOT k.given
WHERE n.rows_without > 0 AND k.source IS NULL
