/*---
name: baselines
description: |
  The shelf with what is held against the ranking: how popular each article is, in the region (with the reason to tell)
  and in the whole shop, and how many others bought it with what this customer bought.
key: [customer_id, as_of, product_id, season]
---*/
SELECT c.customer_id, c.as_of, c.product_id, c.season,
       COALESCE(l.score, 0) AS popular, COALESCE(l.in_shop, 0) AS popular_in_shop, COALESCE(l.reason, 'on sale now') AS because,
       COALESCE(b.customers, 0) AS also_bought
FROM recommend.candidates c
LEFT JOIN recommend.popular l ON l.region = c.region AND l.as_of = c.as_of AND l.product_id = c.product_id AND l.season = c.season
LEFT JOIN recommend.bought_together b ON b.customer_id = c.customer_id AND b.as_of = c.as_of
                                     AND b.product_id = c.product_id AND b.first_season = c.first_season
