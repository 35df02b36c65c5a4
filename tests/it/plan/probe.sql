/*---
{name: probe, version: 1, entity: customer, owner: growth, description: A view to change.,
 columns: {probe_looks: {unit: looks, meaning: looks in a while}, probe_channel: {unit: category, meaning: last channel by name}}}
---*/
SELECT g.customer_id, g.as_of,
       COUNT(t.line) FILTER (WHERE t.event_type = 'browse' AND t.event_time >= g.as_of - INTERVAL '30' DAY) * $probe_weight AS probe_looks,
       MAX(t.channel) AS probe_channel
FROM grain.customer g
JOIN sources.customers c ON c.customer_id = g.customer_id
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of AND c.personalisation_consent
GROUP BY g.customer_id, g.as_of
