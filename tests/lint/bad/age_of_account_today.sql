-- expect: volatile-function
/*---
{name: age_of_account_today, version: 1, entity: customer, owner: growth, description: age of account today.,
 columns: {days_since_signup_now: {unit: count, meaning: days since signup now}}}
---*/
SELECT g.customer_id, g.as_of, date_part('epoch', now()) - date_part('epoch', CAST(c.signup_date AS TIMESTAMP)) AS days_since_signup_now
FROM grain.customer g JOIN sources.customers c ON c.customer_id = g.customer_id
