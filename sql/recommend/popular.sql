/*---
name: popular
description: |
  How popular each article on sale is at the moments asked for, in each region: purchases that were not sent back,
  lately; what the region cannot tell yet is filled up by the whole shop.  What customers without consent did is not
  counted.  `in_shop` is the same for the whole shop, the ranking that every other is held against; `reason` says on
  what the score rests.
key: [region, as_of, product_id, season]
---*/
WITH moments AS (SELECT DISTINCT region, as_of, today FROM recommend.whole),
on_sale AS (
  SELECT m.region, m.as_of, p.product_id, p.season
  FROM moments m
  JOIN sources.products p ON p.on_sale_from <= m.today AND p.on_sale_until >= m.today
  -- Of a shelf that is too long to be ranked whole, no more is asked for than is ranked.
  UNION ALL
  SELECT DISTINCT a.region, a.as_of, r.product_id, r.season
  FROM recommend.retrieved r
  JOIN recommend.audience a ON a.customer_id = r.customer_id AND a.as_of = r.as_of
  LEFT JOIN moments m ON m.region = a.region AND m.as_of = a.as_of
  WHERE m.as_of IS NULL
),
of_shop AS (SELECT DISTINCT as_of, product_id, season FROM on_sale),
shop AS (
  SELECT s.as_of, s.product_id, s.season,
         COUNT(*) FILTER (WHERE e.event_type = 'purchase' AND e.event_time >= s.as_of - $popular_window)
           - COUNT(*) FILTER (WHERE e.first_return AND e.event_time >= s.as_of - $popular_window) AS kept,
         COUNT(*) FILTER (WHERE e.event_type = 'browse' AND e.event_time >= s.as_of - $popular_window) AS looks
  FROM of_shop s
  LEFT JOIN interactions.events e ON e.product_id = s.product_id AND e.season = s.season AND e.event_time < s.as_of
  GROUP BY s.as_of, s.product_id, s.season
),
region AS (
  SELECT s.region, s.as_of, s.product_id, s.season,
         COUNT(*) FILTER (WHERE e.event_type = 'purchase' AND e.event_time >= s.as_of - $popular_window)
           - COUNT(*) FILTER (WHERE e.first_return AND e.event_time >= s.as_of - $popular_window) AS kept
  FROM on_sale s
  LEFT JOIN interactions.events e ON e.product_id = s.product_id AND e.season = s.season AND e.region = s.region
                                 AND e.event_time < s.as_of
  GROUP BY s.region, s.as_of, s.product_id, s.season
)
SELECT r.region, r.as_of, r.product_id, r.season,
       -- The shop counts less than the region, and looks less than purchases, so that they decide only where those are silent.
       r.kept + $popular_in_shop * s.kept + $popular_look * s.looks AS score,
       s.kept + $popular_look * s.looks AS in_shop,
       CASE WHEN r.kept > 0 AND r.region <> '' THEN 'popular in the region'
            WHEN s.kept > 0 THEN 'popular in the shop'
            WHEN s.looks > 0 THEN 'looked at lately'
            ELSE 'on sale now' END AS reason
FROM region r
JOIN shop s ON s.as_of = r.as_of AND s.product_id = r.product_id AND s.season = r.season
