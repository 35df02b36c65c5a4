/*---
name: customer_preferences
version: 2
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
  SELECT t.customer_id, t.event_time, t.event_type, p.category, p.brand, p.price_eur, p.sustainability_score, p.certificates
  FROM sources.transactions t
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
),
seen AS (
  SELECT g.customer_id, g.as_of, e.category, e.brand
  FROM grain.customer g
  JOIN sources.customers c ON c.customer_id = g.customer_id AND c.personalisation_consent
  JOIN events e ON e.customer_id = g.customer_id AND e.event_type = 'browse' AND e.event_time < g.as_of
),
categories AS (
  SELECT customer_id, as_of, category, COUNT(*) AS looks,
         ROW_NUMBER() OVER (PARTITION BY customer_id, as_of ORDER BY COUNT(*) DESC, category) AS place
  FROM seen GROUP BY customer_id, as_of, category
),
brands AS (
  SELECT customer_id, as_of, MAX(looks) AS looks, COUNT(*) AS brands
  FROM (SELECT customer_id, as_of, brand, COUNT(*) AS looks FROM seen GROUP BY customer_id, as_of, brand)
  GROUP BY customer_id, as_of
),
levels AS (
  SELECT g.customer_id, g.as_of,
         COUNT(*) FILTER (WHERE e.event_type = 'browse') AS looks,
         COUNT(e.certificates) FILTER (WHERE e.event_type = 'browse') AS certified,
         CAST(AVG(e.price_eur) FILTER (WHERE e.event_type = 'browse') AS DOUBLE) AS price_level,
         CAST(AVG(e.price_eur) FILTER (WHERE e.event_type = 'purchase') AS DOUBLE) AS price_level_bought,
         CAST(AVG(e.sustainability_score) FILTER (WHERE e.event_type = 'browse') AS DOUBLE) AS score_level,
         CAST(AVG(e.sustainability_score) FILTER (WHERE e.event_type IN ('purchase', 'wishlist')) AS DOUBLE) AS score_level_bought
  FROM grain.customer g
  JOIN sources.customers c ON c.customer_id = g.customer_id
  LEFT JOIN events e ON e.customer_id = g.customer_id AND e.event_time < g.as_of AND c.personalisation_consent
  GROUP BY g.customer_id, g.as_of
)
SELECT l.customer_id, l.as_of, k.category AS favourite_category,
       CAST(k.looks AS DOUBLE) / NULLIF(l.looks, 0) AS favourite_category_share,
       CAST(b.looks AS DOUBLE) / NULLIF(l.looks, 0) AS favourite_brand_share,
       b.brands AS brands_looked_at,
       l.price_level, l.price_level_bought, l.score_level, l.score_level_bought,
       CAST(l.certified AS DOUBLE) / NULLIF(l.looks, 0) AS certified_share
FROM levels l
LEFT JOIN categories k ON k.customer_id = l.customer_id AND k.as_of = l.as_of AND k.place = 1
LEFT JOIN brands b ON b.customer_id = l.customer_id AND b.as_of = l.as_of
