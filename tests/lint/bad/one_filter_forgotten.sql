-- expect: no-time-bound
/*---
{name: one_filter_forgotten, version: 1, entity: customer, owner: growth, description: one filter forgotten.,
 columns: {bought: {unit: count, meaning: bought}, sent_back: {unit: count, meaning: sent back}}}
---*/
-- The purchases are bounded, the returns are not.
SELECT g.customer_id, g.as_of,
       COUNT(t.line) FILTER (WHERE t.event_type = 'purchase' AND t.event_time < g.as_of) AS bought,
       COUNT(t.line) FILTER (WHERE t.event_type = 'return') AS sent_back
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
GROUP BY g.customer_id, g.as_of
