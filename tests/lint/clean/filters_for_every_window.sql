-- clean
/*---
{name: filters_for_every_window, version: 1, entity: customer, owner: growth, description: filters for every window.,
 columns: {looks_7d: {unit: count, meaning: looks 7d}, looks_28d: {unit: count, meaning: looks 28d}, bought_ever: {unit: count, meaning: bought ever}}}
---*/
SELECT g.customer_id, g.as_of,
       COUNT(t.line) FILTER (WHERE t.event_type = 'browse' AND t.event_time >= g.as_of - INTERVAL '7' DAY) AS looks_7d,
       COUNT(t.line) FILTER (WHERE t.event_type = 'browse' AND t.event_time >= g.as_of - INTERVAL '28' DAY) AS looks_28d,
       COUNT(t.line) FILTER (WHERE t.event_type = 'purchase') AS bought_ever
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
