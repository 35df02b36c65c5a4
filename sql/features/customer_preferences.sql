/*---
name: customer_preferences
version: 1
entity: customer
owner: growth
description: |
  What the customer's looks and purchases before this moment say of taste: kind of article, brand, price level and
  sustainability.  Without consent or history there is nothing to say: NULL.
columns:
  favourite_category: {unit: category, meaning: "kind of article looked at most; of equal ones the first by name", driver: style}
  favourite_category_share: {unit: share, meaning: share of the looks that were at the favourite kind of article, driver: style}
  favourite_brand_share: {unit: share, meaning: share of the looks that were at the brand looked at most, driver: brand}
  brands_looked_at: {unit: brands, meaning: how many brands were looked at, driver: brand}
  price_level: {unit: EUR, meaning: mean list price of what was looked at, driver: price}
  price_level_bought: {unit: EUR, meaning: mean list price of what was bought, driver: price}
  score_level: {unit: points, meaning: mean sustainability score of what was looked at, driver: sustainability}
  score_level_bought: {unit: points, meaning: mean sustainability score of what was bought or wished for, driver: sustainability}
  certified_share: {unit: share, meaning: share of the looks that were at articles with a certificate, driver: sustainability}
---*/
WITH events AS (
  SELECT g.customer_id, g.as_of, t.event_type, p.category, p.brand, p.price_eur, p.sustainability_score, p.certificates
  FROM grain.customer g
  JOIN sources.customers c ON c.customer_id = g.customer_id AND c.personalisation_consent
  JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
),
categories AS (
  SELECT customer_id, as_of, category, COUNT(*) AS looks,
         ROW_NUMBER() OVER (PARTITION BY customer_id, as_of ORDER BY COUNT(*) DESC, category) AS place
  FROM events WHERE event_type = 'browse' GROUP BY customer_id, as_of, category
),
brands AS (
  SELECT customer_id, as_of, MAX(looks) AS looks, COUNT(*) AS brands
  FROM (SELECT customer_id, as_of, brand, COUNT(*) AS looks FROM events WHERE event_type = 'browse' GROUP BY customer_id, as_of, brand)
  GROUP BY customer_id, as_of
),
levels AS (
  SELECT customer_id, as_of,
         COUNT(*) FILTER (WHERE event_type = 'browse') AS looks,
         COUNT(certificates) FILTER (WHERE event_type = 'browse') AS certified,
         CAST(AVG(price_eur) FILTER (WHERE event_type = 'browse') AS DOUBLE) AS price_level,
         CAST(AVG(price_eur) FILTER (WHERE event_type = 'purchase') AS DOUBLE) AS price_level_bought,
         CAST(AVG(sustainability_score) FILTER (WHERE event_type = 'browse') AS DOUBLE) AS score_level,
         CAST(AVG(sustainability_score) FILTER (WHERE event_type IN ('purchase', 'wishlist')) AS DOUBLE) AS score_level_bought
  FROM events GROUP BY customer_id, as_of
)
SELECT g.customer_id, g.as_of, k.category AS favourite_category,
       CAST(k.looks AS DOUBLE) / NULLIF(l.looks, 0) AS favourite_category_share,
       CAST(b.looks AS DOUBLE) / NULLIF(l.looks, 0) AS favourite_brand_share,
       b.brands AS brands_looked_at,
       l.price_level, l.price_level_bought, l.score_level, l.score_level_bought,
       CAST(l.certified AS DOUBLE) / NULLIF(l.looks, 0) AS certified_share
FROM grain.customer g
LEFT JOIN categories k ON k.customer_id = g.customer_id AND k.as_of = g.as_of AND k.place = 1
LEFT JOIN brands b ON b.customer_id = g.customer_id AND b.as_of = g.as_of
LEFT JOIN levels l ON l.customer_id = g.customer_id AND l.as_of = g.as_of
