/*---
name: customer_product
description: A customer looking at an article; the moments at which a recommendation could have been made.
key: [customer_id, product_id, season, as_of]
---*/
SELECT DISTINCT t.customer_id, t.product_id, t.season, t.event_time AS as_of
FROM sources.transactions t
JOIN split.sample s ON s.customer_id = t.customer_id AND s.drawn
WHERE t.stands_for = 'browse' AND t.consented
