/*---
name: slow
description: Answers come too late.
severity: error
---*/
SELECT release, concat('of ', COUNT(*), ' answers, 95 of 100 came within ', CAST(round(approx_percentile_cont(milliseconds, 0.95)) AS BIGINT), ' ms') AS because
FROM served.answers
WHERE age_minutes < $slo_minutes
GROUP BY release
HAVING COUNT(*) >= $slo_enough AND approx_percentile_cont(milliseconds, 0.95) > $slo_p95_ms
