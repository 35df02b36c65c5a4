-- clean
/*---
{name: seen_article_before, version: 1, entity: customer_product, owner: growth, description: seen article before.,
 columns: {seen_article: {unit: yes or no, meaning: looked at this article before}}}
---*/
SELECT g.customer_id, g.product_id, g.season, g.as_of, COUNT(t.line) > 0 AS seen_article
FROM grain.customer_product g
LEFT JOIN (SELECT * FROM sources.transactions WHERE event_type = 'browse') t
  ON t.customer_id = g.customer_id AND t.product_id = g.product_id AND t.season = g.season AND t.event_time < g.as_of
GROUP BY g.customer_id, g.product_id, g.season, g.as_of
