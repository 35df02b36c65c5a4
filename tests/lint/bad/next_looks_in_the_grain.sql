-- expect: no-time-bound
/*---
{name: next_looks_in_the_grain, version: 1, entity: customer, owner: growth, description: next looks in the grain.,
 columns: {moments: {unit: count, meaning: moments}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(m.as_of) AS moments
FROM grain.customer g
LEFT JOIN grain.customer m ON m.customer_id = g.customer_id AND m.as_of <> g.as_of
GROUP BY g.customer_id, g.as_of
