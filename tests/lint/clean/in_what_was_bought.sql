-- clean
/*---
{name: in_what_was_bought, version: 1, entity: customer_product, owner: growth, description: in what was bought.,
 columns: {brand_known: {unit: count, meaning: brand known}}}
---*/
SELECT g.customer_id, g.product_id, g.season, g.as_of,
       p.brand IN (SELECT q.brand FROM sources.transactions t
                   JOIN sources.products q ON q.product_id = t.product_id AND q.season = t.season
                   WHERE t.customer_id = g.customer_id AND t.event_type = 'purchase' AND t.event_time < g.as_of) AS brand_known
FROM grain.customer_product g JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
