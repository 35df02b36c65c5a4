-- expect: no-time-bound
/*---
{name: in_a_list_of_buyers, version: 1, entity: customer, owner: growth, description: in a list of buyers.,
 columns: {is_buyer: {unit: count, meaning: is buyer}}}
---*/
SELECT g.customer_id, g.as_of,
       g.customer_id IN (SELECT customer_id FROM sources.transactions WHERE event_type = 'purchase') AS is_buyer
FROM grain.customer g
