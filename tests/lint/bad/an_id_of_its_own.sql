-- expect: volatile-function
/*---
{name: an_id_of_its_own, version: 1, entity: customer, owner: growth, description: an id of its own.,
 columns: {row_id: {unit: count, meaning: row id}}}
---*/
SELECT customer_id, as_of, uuid() AS row_id FROM grain.customer
