/*---
name: customer
description: A customer at a moment of looking at an article.
key: [customer_id, as_of]
---*/
SELECT DISTINCT t.customer_id, t.event_time AS as_of
FROM sources.transactions t
JOIN split.sample s ON s.customer_id = t.customer_id AND s.drawn
WHERE t.stands_for = 'browse' AND t.consented
