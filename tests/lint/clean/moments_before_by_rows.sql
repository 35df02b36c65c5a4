-- clean
/*---
{name: moments_before_by_rows, version: 1, entity: customer, owner: growth, description: moments before by rows.,
 columns: {moments_before: {unit: count, meaning: moments before}}}
---*/
-- One row for each moment of a customer, so a row before is a moment before.
SELECT customer_id, as_of,
       COUNT(*) OVER (PARTITION BY customer_id ORDER BY as_of ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS moments_before
FROM grain.customer
