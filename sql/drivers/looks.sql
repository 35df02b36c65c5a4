/*---
name: looks
description: |
  The test looks, whose scores are taken apart.  Every column beside the key is a way to group them, its name what a
  reader sees; months are the shop's.
key: [customer_id, product_id, season, as_of]
---*/
SELECT f.customer_id, f.product_id, f.season, f.as_of,
       c.age_group AS "age group",
       c.sustainability_preference AS "sustainability preference",
       c.region AS "region",
       to_char(f.as_of AT TIME ZONE 'UTC' AT TIME ZONE $timezone, '%Y-%m') AS "month"
FROM frame f
JOIN sources.customers c ON c.customer_id = f.customer_id
WHERE f.split = 'test'
