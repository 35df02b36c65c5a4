-- clean
/*---
{name: constant, version: 1, entity: customer, owner: growth, description: constant.,
 columns: {one: {unit: count, meaning: one}}}
---*/
SELECT customer_id, as_of, 1 AS one FROM grain.customer
