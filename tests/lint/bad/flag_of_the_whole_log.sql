-- expect: proof
/*---
{name: flag_of_the_whole_log, version: 1, entity: customer, owner: growth, description: flag of the whole log.,
 columns: {heavy: {unit: count, meaning: heavy}}}
---*/
-- why: the mark heavy_customer in surprises is given by all purchases of the log, later ones too
SELECT g.customer_id, g.as_of, COUNT(t.line) FILTER (WHERE t.surprises LIKE '%heavy_customer%') AS heavy
FROM grain.customer g
JOIN sources.customers c ON c.customer_id = g.customer_id
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of AND c.personalisation_consent
GROUP BY g.customer_id, g.as_of
