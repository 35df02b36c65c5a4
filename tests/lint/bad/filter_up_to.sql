-- expect: time-bound-not-strict
/*---
{name: filter_up_to, version: 1, entity: customer, owner: growth, description: filter up to.,
 columns: {spent_upto: {unit: count, meaning: spent upto}}}
---*/
SELECT g.customer_id, g.as_of, SUM(t.amount_eur) FILTER (WHERE t.event_time <= g.as_of) AS spent_upto
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
GROUP BY g.customer_id, g.as_of
