/*---
name: same_list
description: Nearly everybody who was answered lately was shown one and the same list.
severity: error
---*/
WITH lists AS (
  SELECT release, list, COUNT(DISTINCT customer_id) AS customers
  FROM served.answers WHERE age_minutes < $slo_minutes AND personal GROUP BY release, list
),
everybody AS (
  SELECT release, COUNT(DISTINCT customer_id) AS customers
  FROM served.answers WHERE age_minutes < $slo_minutes AND personal GROUP BY release
)
SELECT e.release, concat(MAX(l.customers), ' of ', MAX(e.customers), ' customers were shown the same list') AS because
FROM everybody e JOIN lists l ON l.release = e.release
GROUP BY e.release
HAVING MAX(e.customers) >= $slo_enough AND MAX(l.customers) > $gate_same_first * MAX(e.customers)
