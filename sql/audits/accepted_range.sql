/*---
name: accepted_range
description: A number lies outside of what it can be.
severity: error
---*/
SELECT 'products' AS source, concat(product_id, ' ', season) AS row_id, 'sustainability_score' AS column_name, CAST(sustainability_score AS DOUBLE) AS value
FROM sources.products WHERE sustainability_score NOT BETWEEN 0 AND 100
UNION ALL
SELECT 'products', concat(product_id, ' ', season), 'price_eur', CAST(price_eur AS DOUBLE)
FROM sources.products WHERE price_eur <= 0 OR price_eur > $dearest_eur
UNION ALL
SELECT 'transactions', transaction_id, 'quantity', CAST(quantity AS DOUBLE)
FROM sources.transactions WHERE quantity NOT BETWEEN 1 AND $most_pieces
UNION ALL
SELECT 'transactions', transaction_id, 'unit_price_eur', CAST(unit_price_eur AS DOUBLE)
FROM sources.transactions WHERE unit_price_eur NOT BETWEEN 0 AND $dearest_eur
UNION ALL
SELECT 'frame', concat_ws(' ', customer_id, product_id, season, as_of), column_name, value
FROM (
  SELECT customer_id, product_id, season, as_of, 'category_look_share' AS column_name, category_look_share AS value FROM frame
  UNION ALL SELECT customer_id, product_id, season, as_of, 'category_bought_share', category_bought_share FROM frame
  UNION ALL SELECT customer_id, product_id, season, as_of, 'kept_share', kept_share FROM frame
  UNION ALL SELECT customer_id, product_id, season, as_of, 'favourite_category_share', favourite_category_share FROM frame
  UNION ALL SELECT customer_id, product_id, season, as_of, 'favourite_brand_share', favourite_brand_share FROM frame
  UNION ALL SELECT customer_id, product_id, season, as_of, 'certified_share', certified_share FROM frame
  UNION ALL SELECT customer_id, product_id, season, as_of, 'season_progress', season_progress FROM frame
)
WHERE value NOT BETWEEN 0 AND 1
UNION ALL
SELECT 'frame', concat_ws(' ', customer_id, product_id, season, as_of), 'taste_match', COALESCE(taste_match, taste_match_bought)
FROM frame WHERE taste_match NOT BETWEEN -1.000001 AND 1.000001 OR taste_match_bought NOT BETWEEN -1.000001 AND 1.000001
