-- expect: unordered-pick
/*---
{name: list_of_articles, version: 1, entity: customer, owner: growth, description: list of articles.,
 columns: {articles_list: {unit: count, meaning: articles list}}}
---*/
SELECT g.customer_id, g.as_of, array_to_string(array_agg(t.product_id), ',') AS articles_list
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
