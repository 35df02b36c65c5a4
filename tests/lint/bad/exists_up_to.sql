-- expect: time-bound-not-strict
/*---
{name: exists_up_to, version: 1, entity: customer_product, owner: growth, description: exists up to.,
 columns: {seen_upto: {unit: count, meaning: seen upto}}}
---*/
SELECT g.customer_id, g.product_id, g.season, g.as_of,
       EXISTS (SELECT 1 FROM sources.transactions t WHERE t.customer_id = g.customer_id AND t.product_id = g.product_id
                 AND t.season = g.season AND g.as_of >= t.event_time) AS seen_upto
FROM grain.customer_product g
