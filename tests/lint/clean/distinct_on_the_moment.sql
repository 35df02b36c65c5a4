-- clean
/*---
{name: distinct_on_the_moment, version: 1, entity: customer, owner: growth, description: distinct on the moment.,
 columns: {last_kind_on: {unit: count, meaning: last kind on}}}
---*/
SELECT DISTINCT ON (g.customer_id, g.as_of) g.customer_id, g.as_of, t.event_type AS last_kind_on
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
ORDER BY g.customer_id, g.as_of, t.event_time DESC, t.transaction_id
