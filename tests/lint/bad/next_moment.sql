-- expect: window-looks-ahead
/*---
{name: next_moment, version: 1, entity: customer, owner: growth, description: next moment.,
 columns: {days_to_next: {unit: count, meaning: days to next}}}
---*/
SELECT customer_id, as_of,
       (date_part('epoch', LEAD(as_of) OVER (PARTITION BY customer_id ORDER BY as_of)) - date_part('epoch', as_of)) / 86400 AS days_to_next
FROM grain.customer
