/*---
name: collection_looks
description: Looks at each collection by its age in days, and how many of those old enough led to a purchase within $purchase_window.
key: [season, age_days]
---*/
WITH events AS (
  SELECT customer_id, product_id, season, event_type, event_time FROM sources.transactions WHERE event_time < $as_of
),
-- What is known ends with the last event, which may be long before the export; returns come after it.
known AS (SELECT MAX(event_time) AS until FROM events WHERE event_type <> 'return'),
looks AS (SELECT DISTINCT customer_id, product_id, season, event_time FROM events WHERE event_type = 'browse'),
outcomes AS (
  SELECT l.season, l.event_time, COUNT(p.event_time) > 0 AS bought
  FROM looks l
  LEFT JOIN events p ON p.customer_id = l.customer_id AND p.product_id = l.product_id AND p.season = l.season AND p.event_type = 'purchase'
                    AND p.event_time >= l.event_time AND p.event_time <= l.event_time + $purchase_window
  GROUP BY l.customer_id, l.product_id, l.season, l.event_time
),
aged AS (
  SELECT o.season, CAST(o.event_time AS DATE) AS looked_on, CAST(CAST(o.event_time AS DATE) AS INT) - CAST(c.launched_on AS INT) AS age_days,
         o.bought, o.event_time + $purchase_window <= k.until AS mature, CAST(k.until AS DATE) AS known_until
  FROM outcomes o
  CROSS JOIN known k
  JOIN monitoring.collections c ON c.season = o.season
)
SELECT season, age_days, looked_on, known_until, COUNT(*) AS looks, COUNT(*) FILTER (WHERE mature) AS mature,
       COUNT(*) FILTER (WHERE mature AND bought) AS mature_yes
FROM aged
WHERE age_days >= 0
GROUP BY season, age_days, looked_on, known_until
