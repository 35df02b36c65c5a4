/*---
name: customer_taste
version: 2
entity: customer_product
owner: style
description: |
  How near the article's description is to those of what the customer looked at, wished for and bought before; what was
  sent back pushes away.  NULL without consent, history or description.
columns:
  taste_match:
    {unit: likeness, meaning: "how like its description is to all that the customer did before: 1 the same, 0 nothing in common", driver: style,
     reasons: [{say: "similar to what you looked at", above: 0.3, than_others: higher}]}
  taste_match_bought:
    {unit: likeness, meaning: "how like its description is to what the customer bought or wished for before: 1 the same, 0 nothing in common", driver: style,
     reasons: [{say: "similar to what you bought or wished for", above: 0.3, than_others: higher}]}
---*/
WITH events AS (
  SELECT t.customer_id, t.event_time, t.event_type, v.vector,
         CASE t.event_type WHEN 'browse' THEN $taste_look WHEN 'wishlist' THEN $taste_wish WHEN 'purchase' THEN $taste_purchase ELSE $taste_return END AS weight
  FROM sources.transactions t
  JOIN embeddings.products v ON v.product_id = t.product_id AND v.season = t.season
),
-- The customer's taste at the moment does not depend on the article, so it is worked out once for each moment.
moments AS (SELECT DISTINCT customer_id, as_of FROM grain.customer_product),
taste AS (
  SELECT m.customer_id, m.as_of,
         vector_mean(e.vector, e.weight) AS taste,
         vector_mean(e.vector, e.weight) FILTER (WHERE e.event_type IN ('wishlist', 'purchase')) AS taste_bought
  FROM moments m
  JOIN sources.customers c ON c.customer_id = m.customer_id
  LEFT JOIN events e ON e.customer_id = m.customer_id AND e.event_time < m.as_of AND c.personalisation_consent
  GROUP BY m.customer_id, m.as_of
)
SELECT g.customer_id, g.product_id, g.season, g.as_of,
       cosine_similarity(t.taste, v.vector) AS taste_match,
       cosine_similarity(t.taste_bought, v.vector) AS taste_match_bought
FROM grain.customer_product g
LEFT JOIN taste t ON t.customer_id = g.customer_id AND t.as_of = g.as_of
LEFT JOIN embeddings.products v ON v.product_id = g.product_id AND v.season = g.season
