-- expect: window-looks-ahead
/*---
{name: rows_following, version: 1, entity: customer, owner: growth, description: rows following.,
 columns: {looks_around: {unit: count, meaning: looks around}}}
---*/
SELECT customer_id, as_of,
       COUNT(*) OVER (PARTITION BY customer_id ORDER BY as_of RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND INTERVAL '1' DAY FOLLOWING) AS looks_around
FROM grain.customer
