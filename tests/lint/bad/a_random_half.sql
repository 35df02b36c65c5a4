-- expect: volatile-function
/*---
{name: a_random_half, version: 1, entity: customer, owner: growth, description: a random half.,
 columns: {half: {unit: count, meaning: half}}}
---*/
SELECT customer_id, as_of, random() < 0.5 AS half FROM grain.customer
