/*---
name: product
description: An article at a moment when somebody looked at it.
key: [product_id, season, as_of]
---*/
SELECT DISTINCT product_id, season, event_time AS as_of
FROM sources.transactions
WHERE stands_for = 'browse' AND consented
