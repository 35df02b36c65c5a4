-- clean
/*---
{name: time_of_day, version: 1, entity: customer, owner: growth, description: time of day.,
 columns: {hour_of_day: {unit: count, meaning: hour of day}, weekend: {unit: count, meaning: weekend}}}
---*/
SELECT customer_id, as_of, date_part('hour', as_of) AS hour_of_day, date_part('dow', as_of) IN (0, 6) AS weekend
FROM grain.customer
