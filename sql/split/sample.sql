/*---
name: sample
description: |
  Whose looks and visits are learned from and judged: everybody's, or in a large shop those of customers drawn by lot until
  there are about so many looks.  What others did counts in every feature all the same, and everybody gets a list.
key: [customer_id]
---*/
WITH looks AS (
  SELECT customer_id, COUNT(*) FILTER (WHERE consented) AS looks
  FROM sources.transactions
  WHERE stands_for = 'browse'
  GROUP BY customer_id
)
-- The lot of a customer is the same whoever else is there.
SELECT customer_id, looks,
       SUM(looks) OVER (ORDER BY md5(customer_id), customer_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - looks < $most_looks AS drawn
FROM looks
