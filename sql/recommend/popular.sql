/*---
name: popular
description: |
  How popular each article on sale is in each region: purchases that were not sent back, lately; what the region cannot
  tell yet is filled up by the whole shop.  What customers without consent did is not counted.  `reason` says on what the
  score rests.
key: [region, product_id, season]
---*/
WITH on_sale AS (
  SELECT product_id, season FROM sources.products WHERE on_sale_from <= $exported_on AND on_sale_until >= $exported_on
),
regions AS (SELECT DISTINCT region FROM sources.customers),
-- The file of transactions may end before the export, so "lately" counts back from its last day.
lately AS (SELECT MAX(event_time) - $popular_window AS since FROM sources.transactions WHERE event_time < $exported_at AND consented),
events AS (
  SELECT c.region, t.product_id, t.season,
         COUNT(*) FILTER (WHERE t.event_type = 'purchase') - COUNT(*) FILTER (WHERE t.first_return) AS kept,
         COUNT(*) FILTER (WHERE t.event_type = 'browse') AS looks
  FROM sources.transactions t
  JOIN sources.customers c ON c.customer_id = t.customer_id AND c.personalisation_consent
  CROSS JOIN lately l
  WHERE t.event_time >= l.since AND t.event_time < $exported_at
  GROUP BY c.region, t.product_id, t.season
),
shop AS (
  SELECT product_id, season, SUM(kept) AS kept, SUM(looks) AS looks
  FROM events GROUP BY product_id, season
)
SELECT r.region, s.product_id, s.season,
       -- The shop counts less than the region, and looks less than purchases, so that they decide only where those are silent.
       COALESCE(e.kept, 0) + $popular_in_shop * COALESCE(w.kept, 0) + $popular_look * COALESCE(w.looks, 0) AS score,
       CASE WHEN e.kept > 0 THEN 'popular in the region'
            WHEN w.kept > 0 THEN 'popular in the shop'
            WHEN w.looks > 0 THEN 'looked at lately'
            ELSE 'on sale now' END AS reason
FROM regions r
CROSS JOIN on_sale s
LEFT JOIN events e ON e.region = r.region AND e.product_id = s.product_id AND e.season = s.season
LEFT JOIN shop w ON w.product_id = s.product_id AND w.season = s.season
