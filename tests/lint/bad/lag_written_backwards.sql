-- expect: window-looks-ahead
/*---
{name: lag_written_backwards, version: 1, entity: customer, owner: growth, description: lag written backwards.,
 columns: {days_since_last: {unit: count, meaning: days since last}}}
---*/
SELECT customer_id, as_of,
       date_part('epoch', as_of) - date_part('epoch', LAG(as_of) OVER (PARTITION BY customer_id ORDER BY as_of DESC)) AS days_since_last
FROM grain.customer
