/*---
name: audience
description: |
  Every customer who is asked for, at the moment asked for, and on what their list may rest: with consent on what they
  told us and did, else on what is popular in the region, without any use of their own behaviour.  `today` is the day on
  the shop's clock.
key: [customer_id, as_of]
---*/
SELECT r.customer_id, r.as_of, COALESCE(c.region, '') AS region, c.country, c.personalisation_consent AS personal,
       CAST(to_char(r.as_of AT TIME ZONE 'UTC' AT TIME ZONE $timezone, '%Y-%m-%d') AS DATE) AS today
FROM grain.request r
JOIN sources.customers c ON c.customer_id = r.customer_id
