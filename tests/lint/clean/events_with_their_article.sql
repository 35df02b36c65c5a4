-- clean
/*---
{name: events_with_their_article, version: 1, entity: customer, owner: growth, description: events with their article.,
 columns: {hats_looked_at: {unit: count, meaning: hats looked at}}}
---*/
WITH events AS (
  SELECT t.customer_id, t.event_time, p.category
  FROM sources.transactions t JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
)
SELECT g.customer_id, g.as_of, COUNT(e.event_time) FILTER (WHERE e.category = 'Hats') AS hats_looked_at
FROM grain.customer g LEFT JOIN events e ON e.customer_id = g.customer_id AND e.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
