/*---
name: customer_profile
version: 2
entity: customer
owner: growth
description: |
  What the customer told us; nothing of what the customer did.  The crosses let a ranking learn for each answer by itself
  what it says of descriptions, prices and scores.
columns:
  age_group: {unit: category, meaning: age group}
  region: {unit: category, meaning: region}
  sustainability_preference: {unit: category, meaning: how much sustainability matters, driver: sustainability}
  price_band: {unit: category, meaning: "budget, mid or premium", driver: price}
  styles: {unit: set, meaning: "styles the customer ticked, separated by semicolons; NULL where none", driver: style}
  days_since_signup: {unit: days, meaning: days since registration}
crosses:
  - {set: styles, by: style_vector, dimensions: 24, say: "in your style: {value}"}
  - {category: price_band, by: log_price, powers: 2, say: "priced as others with your budget like it"}
  - {category: sustainability_preference, by: sustainability_score, say: "as sustainable as others like you ask for"}
---*/
SELECT g.customer_id, g.as_of, c.age_group, c.region, c.sustainability_preference, c.price_band, c.styles,
       (date_part('epoch', g.as_of) - date_part('epoch', CAST(c.signup_date AS TIMESTAMP))) / 86400 AS days_since_signup
FROM grain.customer g
JOIN sources.customers c ON c.customer_id = g.customer_id
