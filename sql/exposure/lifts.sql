/*---
name: lifts
description: |
  By how much, in the logarithm that the ranking adds up, each driver lifts the recommended articles above the middle of
  the same customer's shelf: the mean over customers of the mean over their list, with its 95 % range (1.96 standard errors over customers).
key: [driver]
---*/
WITH long AS (
  SELECT customer_id, 'price' AS driver, from_price AS lift FROM recommendations WHERE basis = 'personal'
  UNION ALL SELECT customer_id, 'brand', from_brand FROM recommendations WHERE basis = 'personal'
  UNION ALL SELECT customer_id, 'style', from_style FROM recommendations WHERE basis = 'personal'
  UNION ALL SELECT customer_id, 'sustainability', from_sustainability FROM recommendations WHERE basis = 'personal'
  UNION ALL SELECT customer_id, 'other', from_other FROM recommendations WHERE basis = 'personal'
),
-- Sums of decimals are exact in any order.
customers AS (
  SELECT driver, customer_id, AVG(CAST(lift AS DECIMAL(18, 9))) AS lift FROM long GROUP BY driver, customer_id
),
sums AS (
  SELECT driver, COUNT(*) AS customers, CAST(SUM(lift) AS DOUBLE) / COUNT(*) AS lift,
         CAST(SUM(CAST(lift * lift AS DECIMAL(30, 12))) AS DOUBLE) / COUNT(*) AS squared
  FROM customers GROUP BY driver
),
ranges AS (
  SELECT driver, customers, lift, 1.96 * sqrt(GREATEST(squared - lift * lift, 0) / NULLIF(customers - 1, 0)) AS half FROM sums
)
SELECT driver, customers, lift, lift - half AS lift_low, lift + half AS lift_high FROM ranges
