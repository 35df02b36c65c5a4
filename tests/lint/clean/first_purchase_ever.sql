-- clean
/*---
{name: first_purchase_ever, version: 1, entity: customer, owner: growth, description: first purchase ever.,
 columns: {days_since_first: {unit: count, meaning: days since first}}}
---*/
-- The first there ever was stays the first, so it may be found before the bound.
WITH firsts AS (
  SELECT customer_id, event_time, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY event_time, transaction_id) AS nth
  FROM sources.transactions WHERE event_type = 'purchase'
)
SELECT g.customer_id, g.as_of, (date_part('epoch', g.as_of) - date_part('epoch', f.event_time)) / 86400 AS days_since_first
FROM grain.customer g LEFT JOIN firsts f ON f.customer_id = g.customer_id AND f.nth = 1 AND f.event_time < g.as_of
