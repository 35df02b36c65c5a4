-- clean
/*---
{name: bought_before_exists, version: 1, entity: customer_product, owner: growth, description: bought before exists.,
 columns: {bought_it: {unit: count, meaning: bought it}}}
---*/
SELECT g.customer_id, g.product_id, g.season, g.as_of,
       EXISTS (SELECT 1 FROM sources.transactions t
               WHERE t.customer_id = g.customer_id AND t.product_id = g.product_id AND t.season = g.season
                 AND t.event_type = 'purchase' AND t.event_time < g.as_of) AS bought_it
FROM grain.customer_product g
