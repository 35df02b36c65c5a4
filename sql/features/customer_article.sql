/*---
name: customer_article
version: 3
entity: customer_product
owner: growth
description: |
  How the article fits what the customer did before this moment.  Without consent or history there is nothing to
  compare with: NULL.
columns:
  seen_before:
    {unit: looks, meaning: looks at this article before,
     reasons: [{say: "you have looked at it before", above: 0}]}
  wished_before:
    {unit: wishes, meaning: times this article was put on the wish list before,
     reasons: [{say: "on your wish list", above: 0}]}
  bought_before: {unit: purchases, meaning: purchases of this article before}
  brand_looks:
    {unit: looks, meaning: looks at the brand before, driver: brand,
     reasons: [{say: "from {brand}, which you have looked at", above: 0}]}
  brand_bought:
    {unit: purchases, meaning: purchases of the brand before, driver: brand,
     reasons: [{say: "from {brand}, a brand you bought", above: 0}]}
  category_look_share:
    {unit: share, meaning: share of the looks before that were at this category, driver: style,
     reasons: [{say: "you often look at {category}", above: 0.3},
               {say: "you have looked at {category} before", above: 0}]}
  category_bought_share:
    {unit: share, meaning: share of the purchases before that were of this category, driver: style,
     reasons: [{say: "you have bought {category} before", above: 0}]}
  price_gap:
    {unit: share, meaning: "list price against the mean list price of what was looked at before: 0.2 is 20 % dearer", driver: price,
     reasons: [{say: "{percent} % below what you usually look at", below: -0.1, when: {category_look_share: {above: 0.5}}},
               {say: "within your usual price", above: -0.1, below: 0.1},
               {say: "finer than what you usually look at", above: 0.1, when: {category_look_share: {above: 0.5}}}]}
  price_gap_bought:
    {unit: share, meaning: list price against the mean list price of what was bought before, driver: price,
     reasons: [{say: "{percent} % below what you usually buy", below: -0.1, when: {category_bought_share: {above: 0.5}}},
               {say: "about what you usually pay for", above: -0.1, below: 0.1},
               {say: "finer than what you usually buy", above: 0.1, when: {category_bought_share: {above: 0.5}}}]}
  score_gap:
    {unit: points, meaning: sustainability score against the mean score of what was bought or wished for before, driver: sustainability,
     reasons: [{say: "more sustainable than what you chose before", above: 0},
               {say: "as sustainable as what you chose before", above: -5}]}
---*/
WITH asked AS (
  SELECT g.customer_id, g.product_id, g.season, g.as_of, c.personalisation_consent,
         a.brand, a.category, a.price_eur, a.sustainability_score
  FROM grain.customer_product g
  JOIN sources.customers c ON c.customer_id = g.customer_id
  JOIN sources.products a ON a.product_id = g.product_id AND a.season = g.season
),
events AS (
  SELECT t.customer_id, t.event_time, t.event_type, p.product_id, p.season, p.brand, p.category, p.price_eur, p.sustainability_score
  FROM sources.transactions t
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
),
agreed AS (SELECT customer_id, product_id, season, as_of, brand, category FROM asked WHERE personalisation_consent),
-- What was done before does not depend on the article, so it is counted once for each moment, and brand and category in it.
moments AS (SELECT DISTINCT customer_id, as_of FROM agreed),
brands AS (SELECT DISTINCT customer_id, as_of, brand FROM agreed),
categories AS (SELECT DISTINCT customer_id, as_of, category FROM agreed),
of_article AS (
  SELECT g.customer_id, g.product_id, g.season, g.as_of,
         COUNT(*) FILTER (WHERE e.event_type = 'browse') AS looks,
         COUNT(*) FILTER (WHERE e.event_type = 'wishlist') AS wishes,
         COUNT(*) FILTER (WHERE e.event_type = 'purchase') AS purchases
  FROM agreed g
  JOIN events e ON e.customer_id = g.customer_id AND e.product_id = g.product_id AND e.season = g.season AND e.event_time < g.as_of
  GROUP BY g.customer_id, g.product_id, g.season, g.as_of
),
of_brand AS (
  SELECT m.customer_id, m.as_of, m.brand,
         COUNT(*) FILTER (WHERE e.event_type = 'browse') AS looks, COUNT(*) FILTER (WHERE e.event_type = 'purchase') AS purchases
  FROM brands m
  LEFT JOIN events e ON e.customer_id = m.customer_id AND e.brand = m.brand AND e.event_time < m.as_of
  GROUP BY m.customer_id, m.as_of, m.brand
),
of_category AS (
  SELECT m.customer_id, m.as_of, m.category,
         COUNT(*) FILTER (WHERE e.event_type = 'browse') AS looks, COUNT(*) FILTER (WHERE e.event_type = 'purchase') AS purchases
  FROM categories m
  LEFT JOIN events e ON e.customer_id = m.customer_id AND e.category = m.category AND e.event_time < m.as_of
  GROUP BY m.customer_id, m.as_of, m.category
),
of_all AS (
  SELECT m.customer_id, m.as_of,
         COUNT(*) FILTER (WHERE e.event_type = 'browse') AS looks, COUNT(*) FILTER (WHERE e.event_type = 'purchase') AS purchases,
         CAST(AVG(e.price_eur) FILTER (WHERE e.event_type = 'browse') AS DOUBLE) AS price_looked_at,
         CAST(AVG(e.price_eur) FILTER (WHERE e.event_type = 'purchase') AS DOUBLE) AS price_bought,
         CAST(AVG(e.sustainability_score) FILTER (WHERE e.event_type IN ('purchase', 'wishlist')) AS DOUBLE) AS score_chosen
  FROM moments m
  LEFT JOIN events e ON e.customer_id = m.customer_id AND e.event_time < m.as_of
  GROUP BY m.customer_id, m.as_of
)
SELECT g.customer_id, g.product_id, g.season, g.as_of,
       CASE WHEN g.personalisation_consent THEN COALESCE(x.looks, 0) END AS seen_before,
       CASE WHEN g.personalisation_consent THEN COALESCE(x.wishes, 0) END AS wished_before,
       CASE WHEN g.personalisation_consent THEN COALESCE(x.purchases, 0) END AS bought_before,
       CASE WHEN g.personalisation_consent THEN COALESCE(b.looks, 0) END AS brand_looks,
       CASE WHEN g.personalisation_consent THEN COALESCE(b.purchases, 0) END AS brand_bought,
       CAST(COALESCE(k.looks, 0) AS DOUBLE) / NULLIF(e.looks, 0) AS category_look_share,
       CAST(COALESCE(k.purchases, 0) AS DOUBLE) / NULLIF(e.purchases, 0) AS category_bought_share,
       CAST(g.price_eur AS DOUBLE) / e.price_looked_at - 1 AS price_gap,
       CAST(g.price_eur AS DOUBLE) / e.price_bought - 1 AS price_gap_bought,
       CAST(g.sustainability_score AS DOUBLE) - e.score_chosen AS score_gap
FROM asked g
LEFT JOIN of_article x ON x.customer_id = g.customer_id AND x.product_id = g.product_id AND x.season = g.season AND x.as_of = g.as_of
LEFT JOIN of_brand b ON b.customer_id = g.customer_id AND b.as_of = g.as_of AND b.brand = g.brand
LEFT JOIN of_category k ON k.customer_id = g.customer_id AND k.as_of = g.as_of AND k.category = g.category
LEFT JOIN of_all e ON e.customer_id = g.customer_id AND e.as_of = g.as_of
