/*---
name: candidates
description: |
  The shelf: every customer who is asked for with every article that is on sale at that moment and may be sent to them,
  less what they own by then.  An article that came back in a later season is still the same thing to own.  Training,
  evaluation and serving read this one file.
key: [customer_id, as_of, product_id, season]
---*/
WITH owned AS (
  SELECT a.customer_id, a.as_of, e.product_id, e.first_season
  FROM recommend.audience a
  JOIN interactions.events e ON e.customer_id = a.customer_id AND e.event_time < a.as_of
  WHERE a.personal AND e.event_type IN ('purchase', 'return')
  GROUP BY a.customer_id, a.as_of, e.product_id, e.first_season
  HAVING SUM(CASE WHEN e.event_type = 'purchase' THEN e.quantity ELSE -e.quantity END) > 0
),
considered AS (
  SELECT a.customer_id, a.as_of, o.product_id, o.season, o.first_season, o.brand, a.personal, a.region, o.new
  FROM recommend.whole a
  JOIN recommend.offered o ON o.country = a.country AND o.today = a.today
  UNION ALL
  SELECT a.customer_id, a.as_of, o.product_id, o.season, o.first_season, o.brand, a.personal, a.region, o.new
  FROM recommend.retrieved r
  JOIN recommend.audience a ON a.customer_id = r.customer_id AND a.as_of = r.as_of
  JOIN recommend.offered o ON o.product_id = r.product_id AND o.season = r.season AND o.country = a.country AND o.today = a.today
)
SELECT c.customer_id, c.as_of, c.product_id, c.season, c.first_season, c.brand, c.personal, c.region, c.new
FROM considered c
LEFT JOIN owned o ON o.customer_id = c.customer_id AND o.as_of = c.as_of
                 AND o.product_id = c.product_id AND o.first_season = c.first_season
WHERE o.customer_id IS NULL
