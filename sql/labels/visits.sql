/*---
name: visits
description: |
  What came of each visit: the articles looked at in it, and those bought within the purchase window of its first look,
  kept where the return window passed without a return.  What is fitted or judged at a moment takes no visit whose looks,
  purchases or returns are known only after it.
key: [customer_id, as_of, product_id, season]
---*/
WITH looked AS (
  SELECT DISTINCT r.customer_id, r.as_of, t.product_id, t.season
  FROM grain.request r
  JOIN sources.transactions t ON t.customer_id = r.customer_id
                             AND COALESCE(t.session_id, to_char(t.event_time, '%Y-%m-%d')) = r.visit
                             AND t.event_time >= r.as_of AND t.event_time < r.over_at
  WHERE t.stands_for = 'browse'
),
purchases AS (
  SELECT p.customer_id, p.product_id, p.season, p.event_time, COUNT(b.line) AS returns
  FROM sources.transactions p
  LEFT JOIN sources.transactions b ON b.order_id = p.order_id AND b.product_id = p.product_id AND b.event_type = 'return'
                                  AND b.event_time <= p.event_time + $return_window
  WHERE p.event_type = 'purchase'
  GROUP BY p.customer_id, p.product_id, p.season, p.event_time
),
bought AS (
  SELECT r.customer_id, r.as_of, p.product_id, p.season, bool_or(p.returns = 0) AS kept
  FROM grain.request r
  JOIN purchases p ON p.customer_id = r.customer_id AND p.event_time >= r.as_of AND p.event_time <= r.as_of + $purchase_window
  GROUP BY r.customer_id, r.as_of, p.product_id, p.season
),
outcomes AS (
  SELECT customer_id, as_of, product_id, season, true AS looked, false AS bought, false AS kept FROM looked
  UNION ALL
  SELECT customer_id, as_of, product_id, season, false, true, kept FROM bought
)
SELECT o.customer_id, o.as_of, o.product_id, o.season,
       bool_or(o.looked) AS looked, bool_or(o.bought) AS bought, bool_or(o.kept) AS kept
FROM outcomes o
GROUP BY o.customer_id, o.as_of, o.product_id, o.season
