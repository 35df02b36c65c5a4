/*---
name: lifts
description: |
  By how much, in the logarithm that the ranking adds up, each driver lifts the recommended articles above the middle of
  the same customer's shelf: the mean over customers of the mean over their list, with its 95 % range (1.96 standard errors over customers).
key: [driver]
---*/
-- Sums of decimals are exact in any order.
WITH customers AS (
  SELECT driver, CAST(lift AS DECIMAL(18, 9)) AS lift FROM exposure.lifted
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
