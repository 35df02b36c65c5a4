-- clean
/*---
{name: decay_in_decimals, version: 1, entity: customer, owner: growth, description: decay in decimals.,
 columns: {looks_fading: {unit: count, meaning: looks fading}}}
---*/
SELECT g.customer_id, g.as_of,
       CAST(SUM(CAST(exp((date_part('epoch', t.event_time) - date_part('epoch', g.as_of)) / 86400 / 30) AS DECIMAL(18, 9))) AS DOUBLE) AS looks_fading
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
