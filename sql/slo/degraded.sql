/*---
name: degraded
description: Too many answers leave something out.
severity: error
---*/
SELECT release, concat(SUM(CASE WHEN degraded THEN 1 ELSE 0 END), ' of ', COUNT(*), ' answers left something out') AS because
FROM served.answers
WHERE age_minutes < $slo_minutes
GROUP BY release
HAVING COUNT(*) >= $slo_enough AND SUM(CASE WHEN degraded THEN 1 ELSE 0 END) > $slo_degraded * COUNT(*)
