/*---
name: bought_together
description: |
  For each customer asked for, the things that others bought who bought what they bought, all of it before that moment,
  and by how many; nobody without consent is asked about or counted.
key: [customer_id, as_of, product_id, first_season]
---*/
WITH bought AS (
  SELECT customer_id, product_id, first_season, MIN(event_time) AS since
  FROM interactions.events
  WHERE event_type = 'purchase'
  GROUP BY customer_id, product_id, first_season
),
own AS (
  SELECT a.customer_id, a.as_of, b.product_id, b.first_season
  FROM recommend.audience a
  JOIN bought b ON b.customer_id = a.customer_id AND b.since < a.as_of
  WHERE a.personal
)
SELECT o.customer_id, o.as_of, b.product_id, b.first_season, COUNT(*) AS customers
FROM own o
JOIN bought s ON s.product_id = o.product_id AND s.first_season = o.first_season AND s.since < o.as_of
JOIN bought b ON b.customer_id = s.customer_id AND b.since < o.as_of
             AND (b.product_id <> o.product_id OR b.first_season <> o.first_season)
GROUP BY o.customer_id, o.as_of, b.product_id, b.first_season
