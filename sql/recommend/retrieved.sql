/*---
name: retrieved
description: |
  Of a shelf that is too long to be ranked whole (`rank.whole_shelf`), the articles that are: what retrieval found stands
  here then, and the law of the shelf holds for it as for any.  No row of a customer: the whole shelf is ranked.
key: [customer_id, as_of, product_id, season]
---*/
SELECT r.customer_id, r.as_of, p.product_id, p.season
FROM grain.request r
JOIN sources.products p ON FALSE
