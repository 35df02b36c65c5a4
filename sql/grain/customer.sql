/*---
name: customer
description: A customer at a moment of looking at an article.
key: [customer_id, as_of]
---*/
SELECT DISTINCT customer_id, event_time AS as_of
FROM sources.transactions
WHERE stands_for = 'browse' AND consented
