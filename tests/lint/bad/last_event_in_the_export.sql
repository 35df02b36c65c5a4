-- expect: whole-table-aggregate
/*---
{name: last_event_in_the_export, version: 1, entity: customer, owner: growth, description: last event in the export.,
 columns: {days_to_end: {unit: count, meaning: days to end}}}
---*/
SELECT g.customer_id, g.as_of, date_part('epoch', e.last_time) - date_part('epoch', g.as_of) AS days_to_end
FROM grain.customer g CROSS JOIN (SELECT MAX(event_time) AS last_time FROM sources.transactions) e
