-- expect: open-float-sum
/*---
{name: decayed_looks, version: 1, entity: customer, owner: growth, description: decayed looks.,
 columns: {looks_decayed: {unit: count, meaning: looks decayed}}}
---*/
SELECT g.customer_id, g.as_of,
       SUM(exp(-(date_part('epoch', g.as_of) - date_part('epoch', t.event_time)) / 86400 / 30)) AS looks_decayed
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
