-- expect: order-with-ties
/*---
{name: last_article_with_ties, version: 1, entity: customer, owner: growth, description: last article with ties.,
 columns: {last_article: {unit: count, meaning: last article}}}
---*/
-- Rows of one moment come in any order, so the last of them is left to chance.
SELECT g.customer_id, g.as_of, last_value(t.product_id ORDER BY date_trunc('month', t.event_time)) AS last_article
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
