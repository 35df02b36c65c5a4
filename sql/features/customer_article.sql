/*---
name: customer_article
version: 1
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
     reasons: [{say: "{percent} % below what you usually look at", below: -0.1},
               {say: "within your usual price", below: 0.1},
               {say: "finer than what you usually look at", above: 0.1}]}
  price_gap_bought:
    {unit: share, meaning: list price against the mean list price of what was bought before, driver: price,
     reasons: [{say: "{percent} % below what you usually buy", below: -0.1},
               {say: "about what you usually pay for", below: 0.1},
               {say: "finer than what you usually buy", above: 0.1}]}
  score_gap:
    {unit: points, meaning: sustainability score against the mean score of what was bought or wished for before, driver: sustainability,
     reasons: [{say: "more sustainable than what you chose before", above: 0},
               {say: "as sustainable as what you chose before", above: -5}]}
---*/
WITH moments AS (
  SELECT DISTINCT g.customer_id, g.as_of
  FROM grain.customer_product g
  JOIN sources.customers c ON c.customer_id = g.customer_id AND c.personalisation_consent
),
-- What the customer did before the moment does not depend on the article, so it is gathered once for each moment.
events AS (
  SELECT m.customer_id, m.as_of, t.event_type, p.product_id, p.season, p.brand, p.category, p.price_eur, p.sustainability_score
  FROM moments m
  JOIN sources.transactions t ON t.customer_id = m.customer_id AND t.event_time < m.as_of
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
),
of_article AS (
  SELECT customer_id, as_of, product_id, season,
         COUNT(*) FILTER (WHERE event_type = 'browse') AS looks,
         COUNT(*) FILTER (WHERE event_type = 'wishlist') AS wishes,
         COUNT(*) FILTER (WHERE event_type = 'purchase') AS purchases
  FROM events GROUP BY customer_id, as_of, product_id, season
),
of_brand AS (
  SELECT customer_id, as_of, brand,
         COUNT(*) FILTER (WHERE event_type = 'browse') AS looks, COUNT(*) FILTER (WHERE event_type = 'purchase') AS purchases
  FROM events GROUP BY customer_id, as_of, brand
),
of_category AS (
  SELECT customer_id, as_of, category,
         COUNT(*) FILTER (WHERE event_type = 'browse') AS looks, COUNT(*) FILTER (WHERE event_type = 'purchase') AS purchases
  FROM events GROUP BY customer_id, as_of, category
),
of_all AS (
  SELECT customer_id, as_of,
         COUNT(*) FILTER (WHERE event_type = 'browse') AS looks, COUNT(*) FILTER (WHERE event_type = 'purchase') AS purchases,
         CAST(AVG(price_eur) FILTER (WHERE event_type = 'browse') AS DOUBLE) AS price_looked_at,
         CAST(AVG(price_eur) FILTER (WHERE event_type = 'purchase') AS DOUBLE) AS price_bought,
         CAST(AVG(sustainability_score) FILTER (WHERE event_type IN ('purchase', 'wishlist')) AS DOUBLE) AS score_chosen
  FROM events GROUP BY customer_id, as_of
)
SELECT g.customer_id, g.product_id, g.season, g.as_of,
       CASE WHEN c.personalisation_consent THEN COALESCE(x.looks, 0) END AS seen_before,
       CASE WHEN c.personalisation_consent THEN COALESCE(x.wishes, 0) END AS wished_before,
       CASE WHEN c.personalisation_consent THEN COALESCE(x.purchases, 0) END AS bought_before,
       CASE WHEN c.personalisation_consent THEN COALESCE(b.looks, 0) END AS brand_looks,
       CASE WHEN c.personalisation_consent THEN COALESCE(b.purchases, 0) END AS brand_bought,
       CAST(COALESCE(k.looks, 0) AS DOUBLE) / NULLIF(e.looks, 0) AS category_look_share,
       CAST(COALESCE(k.purchases, 0) AS DOUBLE) / NULLIF(e.purchases, 0) AS category_bought_share,
       CAST(a.price_eur AS DOUBLE) / e.price_looked_at - 1 AS price_gap,
       CAST(a.price_eur AS DOUBLE) / e.price_bought - 1 AS price_gap_bought,
       CAST(a.sustainability_score AS DOUBLE) - e.score_chosen AS score_gap
FROM grain.customer_product g
JOIN sources.customers c ON c.customer_id = g.customer_id
JOIN sources.products a ON a.product_id = g.product_id AND a.season = g.season
LEFT JOIN of_article x ON x.customer_id = g.customer_id AND x.as_of = g.as_of AND x.product_id = g.product_id AND x.season = g.season
LEFT JOIN of_brand b ON b.customer_id = g.customer_id AND b.as_of = g.as_of AND b.brand = a.brand
LEFT JOIN of_category k ON k.customer_id = g.customer_id AND k.as_of = g.as_of AND k.category = a.category
LEFT JOIN of_all e ON e.customer_id = g.customer_id AND e.as_of = g.as_of
