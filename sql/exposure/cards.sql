/*---
name: cards
description: |
  Ten customers to look at, as different as there are: in turn one from each length of history, in the order of a hash of
  their ids, first those whose age group and sustainability preference have not been seen in that length.
key: [card, rank]
---*/
WITH history AS (
  SELECT a.customer_id, COUNT(t.line) FILTER (WHERE t.event_type = 'browse') AS looks,
         COUNT(t.line) FILTER (WHERE t.event_type = 'wishlist') AS wishes,
         COUNT(t.line) FILTER (WHERE t.event_type = 'purchase') AS purchases,
         COUNT(t.line) AS events
  FROM recommend.audience a
  LEFT JOIN sources.transactions t ON t.customer_id = a.customer_id AND a.personal AND t.event_time < $exported_at
  GROUP BY a.customer_id
),
customers AS (
  SELECT h.*, c.age_group, c.region, c.sustainability_preference, c.price_band, c.personalisation_consent,
         CASE WHEN NOT c.personalisation_consent THEN 5 WHEN h.events = 0 THEN 4
              WHEN h.events <= 5 THEN 3 WHEN h.events <= 20 THEN 2 ELSE 1 END AS length
  FROM history h
  JOIN sources.customers c ON c.customer_id = h.customer_id
),
varied AS (
  SELECT c.*, ROW_NUMBER() OVER (PARTITION BY length, age_group ORDER BY md5(customer_id), customer_id) AS same_age,
         ROW_NUMBER() OVER (PARTITION BY length, sustainability_preference ORDER BY md5(customer_id), customer_id) AS same_preference
  FROM customers c
),
turns AS (
  SELECT v.*, ROW_NUMBER() OVER (PARTITION BY length ORDER BY same_age + same_preference, md5(customer_id), customer_id) AS turn
  FROM varied v
),
chosen AS (
  SELECT t.*, ROW_NUMBER() OVER (ORDER BY turn, length) AS card FROM turns t
)
SELECT c.card, r.rank, c.customer_id, c.age_group, c.region, c.sustainability_preference, c.price_band,
       c.personalisation_consent, c.looks, c.wishes, c.purchases,
       COALESCE(p.product_name, p.product_id) AS product_name, p.brand, p.category, CAST(p.price_eur AS DOUBLE) AS price_eur, r.reason, r.basis
FROM chosen c
JOIN recommendations r ON r.customer_id = c.customer_id
JOIN sources.products p ON p.product_id = r.product_id AND p.season = r.season
WHERE c.card <= 10
