-- expect: whole-table-aggregate
/*---
{name: moments_of_the_customer, version: 1, entity: customer, owner: growth, description: moments of the customer.,
 columns: {moments_in_all: {unit: count, meaning: moments in all}}}
---*/
SELECT customer_id, as_of, COUNT(*) OVER (PARTITION BY customer_id) AS moments_in_all
FROM grain.customer
