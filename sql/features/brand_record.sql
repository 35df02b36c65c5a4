/*---
name: brand_record
version: 2
entity: product
owner: catalogue
description: |
  How the article's brand did in the year before the day of this moment, all its articles and those
  customers together who agreed to personalisation.  Whole days, because
  a brand's record moves slowly; the day itself is not over yet and does not count.
columns:
  brand_looks_1y:
    {unit: looks, meaning: looks at the brand in the year before, driver: brand,
     reasons: [{say: "from {brand}, which many look at", than_others: higher}]}
  brand_purchase_share:
    {unit: share, meaning: "purchases for each look at the brand, NULL without looks", driver: brand,
     reasons: [{say: "from {brand}, which others like to buy", than_others: higher, when: {brand_looks_1y: {above: 9}}}]}
  brand_return_share:
    {unit: share, meaning: "share of the brand's purchases sent back, NULL without purchases", driver: brand,
     reasons: [{say: "from {brand}, which is rarely sent back", below: 0.2, than_others: lower, when: {brand_looks_1y: {above: 49}}}]}
---*/
WITH daily AS (
  SELECT p.brand, date_trunc('day', t.event_time) AS day,
         COUNT(*) FILTER (WHERE t.event_type = 'browse') AS looks,
         COUNT(*) FILTER (WHERE t.event_type = 'purchase') AS purchases,
         COUNT(*) FILTER (WHERE t.first_return) AS returns
  FROM sources.transactions t
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
  WHERE t.consented
  GROUP BY p.brand, date_trunc('day', t.event_time)
),
moments AS (
  SELECT DISTINCT p.brand, date_trunc('day', g.as_of) AS today
  FROM grain.product g
  JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
),
record AS (
  SELECT m.brand, m.today, SUM(d.looks) AS looks, SUM(d.purchases) AS purchases, SUM(d.returns) AS returns
  FROM moments m
  LEFT JOIN daily d ON d.brand = m.brand AND d.day < m.today AND d.day >= m.today - INTERVAL '365' DAY
  GROUP BY m.brand, m.today
)
SELECT g.product_id, g.season, g.as_of,
       COALESCE(r.looks, 0) AS brand_looks_1y,
       CAST(r.purchases AS DOUBLE) / NULLIF(r.looks, 0) AS brand_purchase_share,
       -- What comes back may have been bought in the year before.
       CASE WHEN r.purchases > 0 AND r.returns > r.purchases THEN 1.0 ELSE CAST(r.returns AS DOUBLE) / NULLIF(r.purchases, 0) END AS brand_return_share
FROM grain.product g
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
LEFT JOIN record r ON r.brand = p.brand AND r.today = date_trunc('day', g.as_of)
