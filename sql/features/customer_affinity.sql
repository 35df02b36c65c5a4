/*---
name: customer_affinity
version: 1
entity: customer_product
owner: growth
everybody: [daily]
description: |
  How far the article is what this customer looks at and chooses (buys or wishes for), drawn towards nothing or towards
  what customers of the same price band pay, so that one event decides little.  Without consent: NULL; without history
  what is known of nobody yet: 0, or the distance to what others pay.
columns:
  brand_look_lean:
    {unit: share, meaning: "looks at the brand before, of all looks and three more", driver: brand,
     reasons: [{say: "from {brand}, which you often look at", above: 0.2},
               {say: "from {brand}, which you have looked at", above: 0}]}
  brand_choice_lean:
    {unit: share, meaning: "bought or wished for of the brand before, of all bought or wished for and two more", driver: brand,
     reasons: [{say: "from {brand}, a brand you chose before", above: 0}]}
  category_look_lean:
    {unit: share, meaning: "looks at this kind of article before, of all looks and five more", driver: style,
     reasons: [{say: "you often look at {category}", above: 0.3},
               {say: "you have looked at {category} before", above: 0}]}
  category_choice_lean:
    {unit: share, meaning: "bought or wished for of this kind before, of all bought or wished for and three more", driver: style,
     reasons: [{say: "you have chosen {category} before", above: 0}]}
  price_off_choice:
    {unit: log EUR, meaning: "distance of its price, as a logarithm, from the level of what was bought or wished for, in either direction", driver: price,
     reasons: [{say: "about what you usually choose to pay", below: 0.15, when: {category_choice_lean: {above: 0}}}]}
  price_above_choice:
    {unit: log EUR, meaning: "how far its price, as a logarithm, lies above the level of what was bought or wished for", driver: price,
     reasons: [{say: "{percent} % below what you usually choose", below: -0.1, when: {category_choice_lean: {above: 0.3}}},
               {say: "finer than what you usually choose", above: 0.1, when: {category_choice_lean: {above: 0.3}}}]}
  price_off_looks:
    {unit: log EUR, meaning: "distance of its price, as a logarithm, from the level of what was looked at, in either direction", driver: price,
     reasons: [{say: "within the prices you look at", below: 0.15, when: {category_look_lean: {above: 0}}}]}
  score_pull:
    {unit: points, meaning: "the article's sustainability score above or below the middle, counted as far as what was bought or wished for lay there too", driver: sustainability,
     reasons: [{say: "as sustainable as what you choose", above: 0, when: {sustainability_score: {above: 50}}}]}
  seen_lately:
    {unit: share, meaning: "1 right after a look at it, 0.37 five days later, 0 where it was never looked at",
     reasons: [{say: "you have looked at it lately", above: 0.2}]}
---*/
WITH events AS (
  SELECT t.customer_id, t.event_time, t.event_type, p.product_id, p.season, p.brand, p.category,
         CAST(ln(CAST(p.price_eur AS DOUBLE)) AS DECIMAL(18, 9)) AS log_price, p.sustainability_score - 50 AS score
  FROM sources.transactions t
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
),
asked AS (
  SELECT g.customer_id, g.product_id, g.season, g.as_of, c.price_band, a.brand, a.category,
         ln(CAST(a.price_eur AS DOUBLE)) AS log_price, CAST(a.sustainability_score AS DOUBLE) - 50 AS score
  FROM grain.customer_product g
  JOIN sources.customers c ON c.customer_id = g.customer_id AND c.personalisation_consent
  JOIN sources.products a ON a.product_id = g.product_id AND a.season = g.season
),
moments AS (SELECT DISTINCT customer_id, as_of, price_band FROM asked),
brands AS (SELECT DISTINCT customer_id, as_of, brand FROM asked),
categories AS (SELECT DISTINCT customer_id, as_of, category FROM asked),
of_brand AS (
  SELECT m.customer_id, m.as_of, m.brand,
         COUNT(*) FILTER (WHERE e.event_type = 'browse') AS looks, COUNT(*) FILTER (WHERE e.event_type IN ('purchase', 'wishlist')) AS choices
  FROM brands m
  LEFT JOIN events e ON e.customer_id = m.customer_id AND e.brand = m.brand AND e.event_time < m.as_of
  GROUP BY m.customer_id, m.as_of, m.brand
),
of_category AS (
  SELECT m.customer_id, m.as_of, m.category,
         COUNT(*) FILTER (WHERE e.event_type = 'browse') AS looks, COUNT(*) FILTER (WHERE e.event_type IN ('purchase', 'wishlist')) AS choices
  FROM categories m
  LEFT JOIN events e ON e.customer_id = m.customer_id AND e.category = m.category AND e.event_time < m.as_of
  GROUP BY m.customer_id, m.as_of, m.category
),
of_all AS (
  SELECT m.customer_id, m.as_of,
         COUNT(*) FILTER (WHERE e.event_type = 'browse') AS looks,
         COUNT(*) FILTER (WHERE e.event_type IN ('purchase', 'wishlist')) AS choices,
         CAST(SUM(e.log_price) FILTER (WHERE e.event_type = 'browse') AS DOUBLE) AS looks_log_price,
         CAST(SUM(e.log_price) FILTER (WHERE e.event_type IN ('purchase', 'wishlist')) AS DOUBLE) AS choices_log_price,
         CAST(SUM(e.score) FILTER (WHERE e.event_type IN ('purchase', 'wishlist')) AS DOUBLE) AS choices_score
  FROM moments m
  LEFT JOIN events e ON e.customer_id = m.customer_id AND e.event_time < m.as_of
  GROUP BY m.customer_id, m.as_of
),
-- What customers of a price band paid for before a day; whole days, because it moves slowly.
daily AS (
  SELECT c.price_band, date_trunc('day', e.event_time) AS day, COUNT(*) AS purchases, SUM(e.log_price) AS log_price
  FROM events e
  JOIN sources.customers c ON c.customer_id = e.customer_id AND c.personalisation_consent
  WHERE e.event_type = 'purchase'
  GROUP BY c.price_band, date_trunc('day', e.event_time)
),
days AS (SELECT DISTINCT price_band, date_trunc('day', as_of) AS today FROM moments),
bands AS (
  SELECT d.price_band, d.today, CAST(SUM(l.log_price) AS DOUBLE) / SUM(l.purchases) AS level
  FROM days d
  LEFT JOIN daily l ON l.price_band = d.price_band AND l.day < d.today
  GROUP BY d.price_band, d.today
),
last_looks AS (
  SELECT g.customer_id, g.product_id, g.season, g.as_of, MAX(e.event_time) AS looked_at
  FROM asked g
  JOIN events e ON e.customer_id = g.customer_id AND e.product_id = g.product_id AND e.season = g.season
               AND e.event_type = 'browse' AND e.event_time < g.as_of
  GROUP BY g.customer_id, g.product_id, g.season, g.as_of
),
priced AS (
  SELECT g.customer_id, g.product_id, g.season, g.as_of, a.brand, a.category, a.log_price, a.score, a.customer_id IS NOT NULL AS asked,
         n.looks, n.choices, n.choices_score,
         (COALESCE(n.choices_log_price, 0) + 2 * l.level) / (n.choices + 2) AS chosen,
         (COALESCE(n.looks_log_price, 0) + 4 * l.level) / (n.looks + 4) AS looked_at
  FROM grain.customer_product g
  LEFT JOIN asked a ON a.customer_id = g.customer_id AND a.product_id = g.product_id AND a.season = g.season AND a.as_of = g.as_of
  LEFT JOIN of_all n ON n.customer_id = g.customer_id AND n.as_of = g.as_of
  LEFT JOIN bands l ON l.price_band = a.price_band AND l.today = date_trunc('day', g.as_of)
)
SELECT g.customer_id, g.product_id, g.season, g.as_of,
       CAST(b.looks AS DOUBLE) / (g.looks + 3) AS brand_look_lean,
       CAST(b.choices AS DOUBLE) / (g.choices + 2) AS brand_choice_lean,
       CAST(k.looks AS DOUBLE) / (g.looks + 5) AS category_look_lean,
       CAST(k.choices AS DOUBLE) / (g.choices + 3) AS category_choice_lean,
       abs(g.log_price - g.chosen) AS price_off_choice,
       g.log_price - g.chosen AS price_above_choice,
       abs(g.log_price - g.looked_at) AS price_off_looks,
       g.score * COALESCE(g.choices_score, 0) / (g.choices + 3) AS score_pull,
       CASE WHEN NOT g.asked THEN NULL
            WHEN s.looked_at IS NULL THEN 0.0
            ELSE exp(-(date_part('epoch', g.as_of) - date_part('epoch', s.looked_at)) / 86400 / 5) END AS seen_lately
FROM priced g
LEFT JOIN of_brand b ON b.customer_id = g.customer_id AND b.as_of = g.as_of AND b.brand = g.brand
LEFT JOIN of_category k ON k.customer_id = g.customer_id AND k.as_of = g.as_of AND k.category = g.category
LEFT JOIN last_looks s ON s.customer_id = g.customer_id AND s.product_id = g.product_id AND s.season = g.season AND s.as_of = g.as_of
