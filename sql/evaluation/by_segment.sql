/*---
name: by_segment
description: For each group of customers, how many test looks led to a kept purchase and how many each model expected.
key: [segment, value]
---*/
WITH rows AS (
  SELECT p.label, p.tabular, p.combined, c.age_group, c.region, c.sustainability_preference, c.price_band,
         CASE WHEN h.purchases_ever IS NULL THEN 'no consent' WHEN h.purchases_ever = 0 THEN 'no purchase yet'
              WHEN h.purchases_ever < 3 THEN '1 or 2 purchases' ELSE '3 purchases or more' END AS experience
  FROM predictions p
  JOIN sources.customers c ON c.customer_id = p.customer_id
  JOIN frame h ON h.customer_id = p.customer_id AND h.product_id = p.product_id AND h.season = p.season AND h.as_of = p.as_of
  WHERE p.split = 'test'
),
long AS (
  SELECT 'age group' AS segment, age_group AS value, label, tabular, combined FROM rows
  UNION ALL SELECT 'region', region, label, tabular, combined FROM rows
  UNION ALL SELECT 'sustainability preference', sustainability_preference, label, tabular, combined FROM rows
  UNION ALL SELECT 'price band', price_band, label, tabular, combined FROM rows
  UNION ALL SELECT 'experience', experience, label, tabular, combined FROM rows
)
SELECT segment, value, COUNT(*) AS looks,
       COUNT(*) FILTER (WHERE label) AS kept_purchases,
       -- Sums of decimals are exact in any order.
       CAST(SUM(CAST(tabular AS DECIMAL(12, 9))) AS DOUBLE) AS tabular_expected,
       CAST(SUM(CAST(combined AS DECIMAL(12, 9))) AS DOUBLE) AS combined_expected
FROM long
GROUP BY segment, value
