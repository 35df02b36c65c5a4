/*---
file: {{file}}
derived: true
description: One customer, as the order lines tell.
key: [customer_id]
known_from: signup_date
encoding: {{encoding}}
---*/
SELECT identifier(r.{{customer}}) AS customer_id, MIN(CAST({{time_expression}} AS DATE)) AS signup_date,{{attributes}} MIN(r.line) AS line
FROM raw.customers r
WHERE identifier(r.{{customer}}) IS NOT NULL
GROUP BY identifier(r.{{customer}})
