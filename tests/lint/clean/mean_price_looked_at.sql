-- clean
/*---
{name: mean_price_looked_at, version: 1, entity: customer, owner: growth, description: mean price looked at.,
 columns: {mean_price_looked_at: {unit: count, meaning: mean price looked at}}}
---*/
SELECT g.customer_id, g.as_of, CAST(AVG(p.price_eur) AS DOUBLE) AS mean_price_looked_at
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_type = 'browse' AND t.event_time < g.as_of
LEFT JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
GROUP BY g.customer_id, g.as_of
