/*---
name: product
description: An article at a moment when somebody looked at it.
key: [product_id, season, as_of]
---*/
SELECT DISTINCT t.product_id, t.season, t.event_time AS as_of
FROM sources.transactions t
JOIN split.sample s ON s.customer_id = t.customer_id AND s.drawn
WHERE t.stands_for = 'browse' AND t.consented
