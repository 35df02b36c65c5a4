/*---
name: empty_lists
description: Too many lists are empty.
severity: error
---*/
SELECT release, concat(SUM(CASE WHEN articles = 0 THEN 1 ELSE 0 END), ' of ', COUNT(*), ' lists were empty') AS because
FROM served.answers
WHERE age_minutes < $slo_minutes
GROUP BY release
HAVING COUNT(*) >= $slo_enough AND SUM(CASE WHEN articles = 0 THEN 1 ELSE 0 END) > $slo_empty * COUNT(*)
