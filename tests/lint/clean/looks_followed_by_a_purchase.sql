-- clean
/*---
{name: looks_followed_by_a_purchase, version: 1, entity: product, owner: growth, description: looks followed by a purchase.,
 columns: {followed: {unit: count, meaning: followed}}}
---*/
-- the later of the two times is bounded; the look comes before it
WITH pairs AS (
  SELECT l.product_id, l.season, l.transaction_id, b.event_time AS bought_at
  FROM sources.transactions l
  JOIN sources.transactions b ON b.customer_id = l.customer_id AND b.product_id = l.product_id AND b.season = l.season
   AND b.event_type = 'purchase' AND b.event_time >= l.event_time AND b.event_time < l.event_time + INTERVAL '1' DAY
  WHERE l.event_type = 'browse' AND l.consented
)
SELECT g.product_id, g.season, g.as_of, COUNT(DISTINCT x.transaction_id) AS followed
FROM grain.product g
LEFT JOIN pairs x ON x.product_id = g.product_id AND x.season = g.season AND x.bought_at < g.as_of
GROUP BY g.product_id, g.season, g.as_of
