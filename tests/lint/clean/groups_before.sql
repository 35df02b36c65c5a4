-- clean
/*---
{name: groups_before, version: 1, entity: customer_product, owner: growth, description: groups before.,
 columns: {articles_seen: {unit: count, meaning: articles seen}}}
---*/
SELECT customer_id, product_id, season, as_of,
       COUNT(*) OVER (PARTITION BY customer_id ORDER BY as_of GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS articles_seen
FROM grain.customer_product
