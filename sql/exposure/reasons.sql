/*---
name: reasons
description: |
  Which reasons the personal recommendations give, by the feature they follow from, with an example; and for how many it
  is the strongest reason, not the next one because the list had said the strongest often enough.
key: [driver, because_of]
---*/
SELECT driver, because_of, COUNT(*) AS recommendations, COUNT(*) FILTER (WHERE strongest) AS strongest,
       COUNT(DISTINCT customer_id) AS customers, MIN(reason) AS example
FROM recommendations
WHERE basis = 'personal'
GROUP BY driver, because_of
