/*---
name: customer_profile
version: 1
entity: customer
owner: growth
description: What the customer told us; nothing of what the customer did.
columns:
  age_group: {unit: category, meaning: age group}
  region: {unit: category, meaning: region}
  sustainability_preference: {unit: category, meaning: how much sustainability matters, driver: sustainability}
  price_band: {unit: category, meaning: "budget, mid or premium", driver: price}
  days_since_signup: {unit: days, meaning: days since registration}
---*/
SELECT g.customer_id, g.as_of, c.age_group, c.region, c.sustainability_preference, c.price_band,
       (date_part('epoch', g.as_of) - date_part('epoch', CAST(c.signup_date AS TIMESTAMP))) / 86400 AS days_since_signup
FROM grain.customer g
JOIN sources.customers c ON c.customer_id = g.customer_id
