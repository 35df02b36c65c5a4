-- clean
/*---
{name: last_article_as_of, version: 1, entity: customer, owner: growth, description: last article as of.,
 columns: {last_brand: {unit: count, meaning: last brand}}}
---*/
-- The last event before the moment, then everything about it.
WITH last_time AS (
  SELECT g.customer_id, g.as_of, MAX(t.event_time) AS at
  FROM grain.customer g JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
  GROUP BY g.customer_id, g.as_of
)
SELECT g.customer_id, g.as_of, MIN(p.brand) AS last_brand
FROM grain.customer g
LEFT JOIN last_time l ON l.customer_id = g.customer_id AND l.as_of = g.as_of
LEFT JOIN sources.transactions t ON t.customer_id = l.customer_id AND t.event_time = l.at
LEFT JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
GROUP BY g.customer_id, g.as_of
