-- expect: no-time-bound
/*---
{name: exists_ever, version: 1, entity: customer_product, owner: growth, description: exists ever.,
 columns: {was_bought: {unit: count, meaning: was bought}}}
---*/
SELECT g.customer_id, g.product_id, g.season, g.as_of,
       EXISTS (SELECT 1 FROM sources.transactions t
               WHERE t.customer_id = g.customer_id AND t.product_id = g.product_id AND t.season = g.season
                 AND t.event_type = 'purchase') AS was_bought
FROM grain.customer_product g
