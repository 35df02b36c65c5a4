/*---
file: customers.csv
description: One registered customer.
key: [customer_id]
columns: {customer: number, joined: day of registration, age_band: age as given}
---*/
SELECT customer AS customer_id, line FROM raw.customers
