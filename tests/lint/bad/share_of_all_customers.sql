-- expect: whole-table-aggregate
/*---
{name: share_of_all_customers, version: 1, entity: customer, owner: growth, description: share of all customers.,
 columns: {region_size: {unit: count, meaning: region size}}}
---*/
WITH regions AS (SELECT region, COUNT(*) AS customers FROM sources.customers GROUP BY region)
SELECT g.customer_id, g.as_of, r.customers AS region_size
FROM grain.customer g JOIN sources.customers c ON c.customer_id = g.customer_id LEFT JOIN regions r ON r.region = c.region
