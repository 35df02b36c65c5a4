-- expect: no-time-bound
/*---
{name: bound_by_the_export, version: 1, entity: customer, owner: growth, description: bound by the export.,
 columns: {looks_until_export: {unit: count, meaning: looks until export}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_until_export
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < $exported_at
GROUP BY g.customer_id, g.as_of
