/*---
name: events
description: |
  What recommendations may learn from and rest on: every event of a customer who consents, before the export, with the
  thing it was done to.  An article that came back is the same thing, a number given to another article is not.  Consent
  and time are cut here, below every ranking; a reader adds its own moment (event_time < as_of).
key: [transaction_id]
---*/
SELECT t.transaction_id, t.customer_id, COALESCE(c.region, '') AS region, t.event_time, t.event_type, t.quantity, t.first_return,
       t.product_id, t.season, p.first_season
FROM sources.transactions t
JOIN sources.customers c ON c.customer_id = t.customer_id AND c.personalisation_consent
JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
WHERE t.event_time < $exported_at AND t.consented
