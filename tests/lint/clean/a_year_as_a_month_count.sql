-- clean
/*---
{name: a_year_as_a_month_count, version: 1, entity: customer, owner: growth, description: a year as a month count.,
 columns: {months_active: {unit: count, meaning: months active}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(DISTINCT date_trunc('month', t.event_time)) AS months_active
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id
  AND t.event_time < g.as_of AND t.event_time >= g.as_of - INTERVAL '1' YEAR
GROUP BY g.customer_id, g.as_of
