-- clean
/*---
{name: orders_whose_returns_are_over, version: 1, entity: product, owner: growth, description: orders whose returns are over.,
 columns: {return_share: {unit: count, meaning: return share}}}
---*/
-- the return is at most the window after the purchase, and that is before as_of
WITH orders AS (
  SELECT p.product_id, p.season, p.transaction_id, p.event_time AS bought_at,
         MAX(CASE WHEN r.line IS NOT NULL THEN 1 ELSE 0 END) AS sent_back
  FROM sources.transactions p
  LEFT JOIN sources.transactions r ON r.order_id = p.order_id AND r.event_type = 'return'
        AND r.event_time <= p.event_time + $return_window
  WHERE p.event_type = 'purchase' AND p.consented
  GROUP BY p.product_id, p.season, p.transaction_id, p.event_time
)
SELECT g.product_id, g.season, g.as_of,
       CAST(SUM(o.sent_back) AS DOUBLE) / NULLIF(COUNT(o.sent_back), 0) AS return_share
FROM grain.product g
LEFT JOIN orders o ON o.product_id = g.product_id AND o.season = g.season AND o.bought_at + $return_window < g.as_of
GROUP BY g.product_id, g.season, g.as_of
