-- expect: whole-table-aggregate
/*---
{name: peers_of_the_day, version: 1, entity: customer, owner: growth, description: peers of the day.,
 columns: {n: {unit: count, meaning: n}}}
---*/
-- peers of a day are in the frame
WITH r AS (SELECT event_time, line, COUNT(*) OVER (ORDER BY CAST(event_time AS DATE)) AS n FROM sources.transactions)
SELECT g.customer_id, g.as_of, MAX(r.n) AS n
FROM grain.customer g
LEFT JOIN r ON r.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
