-- clean
/*---
{name: customers_of_the_region_before, version: 1, entity: customer, owner: growth, description: customers of the region before.,
 columns: {region_before: {unit: count, meaning: region before}}}
---*/
SELECT g.customer_id, g.as_of, COUNT(o.customer_id) AS region_before
FROM grain.customer g
JOIN sources.customers c ON c.customer_id = g.customer_id
LEFT JOIN sources.customers o ON o.region = c.region AND o.signup_date < CAST(g.as_of AS DATE)
GROUP BY g.customer_id, g.as_of
