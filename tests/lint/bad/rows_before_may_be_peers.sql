-- expect: frame-touches-peers
/*---
{name: rows_before_may_be_peers, version: 1, entity: customer_product, owner: growth, description: rows before may be peers.,
 columns: {articles_before: {unit: count, meaning: articles before}}}
---*/
-- Two articles can be looked at in one moment: a row before is not a moment before.
SELECT customer_id, product_id, season, as_of,
       COUNT(*) OVER (PARTITION BY customer_id ORDER BY as_of ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS articles_before
FROM grain.customer_product
