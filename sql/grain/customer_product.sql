/*---
name: customer_product
description: A customer looking at an article; the moments at which a recommendation could have been made.
key: [customer_id, product_id, season, as_of]
---*/
SELECT DISTINCT customer_id, product_id, season, event_time AS as_of
FROM sources.transactions
WHERE stands_for = 'browse' AND consented
