/*---
name: audience
description: |
  Every customer, and on what their recommendations may rest: personal with consent and something done before, else on
  what is popular in the region, without any use of their own behaviour.
key: [customer_id]
---*/
SELECT c.customer_id, c.region, c.country,
       c.personalisation_consent AND COUNT(t.line) > 0 AS personal
FROM sources.customers c
LEFT JOIN sources.transactions t ON t.customer_id = c.customer_id AND c.personalisation_consent AND t.event_time < $exported_at
GROUP BY c.customer_id, c.region, c.country, c.personalisation_consent
