/*---
name: customer_style
version: 2
entity: customer_product
owner: style
description: |
  How near the article's description is to the styles that the customer ticked and to what they did before; what was looked
  at, wished for and bought is held against it as it differs from the usual description.  NULL without a description, a tick,
  or (for what was done) consent.
columns:
  style_fit:
    {unit: likeness, meaning: "how like its description is to the words of the styles the customer ticked, their mean: 1 the same, 0 nothing in common", driver: style,
     reasons: [{say: "near the styles you ticked", than_others: higher}]}
  taste_near:
    {unit: likeness, meaning: "how like its description is to what the customer did before, as both differ from the usual: 1 the same, 0 nothing in common, -1 the opposite", driver: style,
     reasons: [{say: "similar to what you looked at", above: 0.15, than_others: higher}]}
  taste_near_choice:
    {unit: likeness, meaning: "the same against what the customer bought or wished for", driver: style,
     reasons: [{say: "similar to what you bought or wished for", above: 0.15, than_others: higher}]}
---*/
WITH events AS (
  SELECT t.customer_id, t.event_time, t.event_type, v.reduced,
         CASE t.event_type WHEN 'browse' THEN $taste_look WHEN 'wishlist' THEN $taste_wish WHEN 'purchase' THEN $taste_purchase ELSE $taste_return END AS weight
  FROM sources.transactions t
  JOIN embeddings.products v ON v.product_id = t.product_id AND v.season = t.season
),
moments AS (SELECT DISTINCT customer_id, as_of FROM grain.customer_product),
taste AS (
  SELECT m.customer_id, m.as_of,
         vector_mean(e.reduced, e.weight) AS taste,
         vector_mean(e.reduced, e.weight) FILTER (WHERE e.event_type IN ('wishlist', 'purchase')) AS taste_choice
  FROM moments m
  JOIN sources.customers c ON c.customer_id = m.customer_id
  LEFT JOIN events e ON e.customer_id = m.customer_id AND e.event_time < m.as_of AND c.personalisation_consent
  GROUP BY m.customer_id, m.as_of
),
-- Many tick the same styles, so how near an article is to them is worked out once for all of these.
wanted AS (
  SELECT DISTINCT c.styles, g.product_id, g.season, g.as_of
  -- lint: allow no-time-bound because of other rows only the styles and articles are taken, which are what they always were
  FROM grain.customer_product g
  JOIN sources.customers c ON c.customer_id = g.customer_id
),
likeness AS (
  SELECT s.style, v.product_id, v.season, CAST(cosine_similarity(s.vector, v.vector) AS DECIMAL(18, 12)) AS near
  FROM embeddings.styles s CROSS JOIN embeddings.products v
),
ticked AS (
  SELECT w.styles, w.as_of, s.style
  FROM (SELECT DISTINCT styles, as_of FROM wanted) w
  -- lint: allow no-time-bound because the words of a style are there before anybody ticks it
  JOIN embeddings.styles s ON concat(';', replace(w.styles, ' ', ''), ';') LIKE concat('%;', replace(s.style, ' ', ''), ';%')
),
fits AS (
  SELECT w.styles, w.product_id, w.season, w.as_of, CAST(AVG(l.near) AS DOUBLE) AS style_fit
  FROM wanted w
  JOIN ticked t ON t.styles = w.styles AND t.as_of = w.as_of
  JOIN likeness l ON l.style = t.style AND l.product_id = w.product_id AND l.season = w.season
  GROUP BY w.styles, w.product_id, w.season, w.as_of
)
SELECT g.customer_id, g.product_id, g.season, g.as_of, f.style_fit,
       cosine_similarity(t.taste, v.reduced) AS taste_near,
       cosine_similarity(t.taste_choice, v.reduced) AS taste_near_choice
FROM grain.customer_product g
LEFT JOIN sources.customers c ON c.customer_id = g.customer_id
LEFT JOIN fits f ON f.styles = c.styles AND f.product_id = g.product_id AND f.season = g.season AND f.as_of = g.as_of
LEFT JOIN taste t ON t.customer_id = g.customer_id AND t.as_of = g.as_of
LEFT JOIN embeddings.products v ON v.product_id = g.product_id AND v.season = g.season
