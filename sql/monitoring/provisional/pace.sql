/*---
name: pace
description: Whether customers have begun to decide faster or slower - of what came within a week, the share that came within a day, lately and before.
key: [stage]
---*/
WITH quick AS (
  SELECT stage,
         COALESCE(SUM(waits) FILTER (WHERE age < 14), 0) AS recent, COALESCE(SUM(waits) FILTER (WHERE age < 14 AND delay = 0), 0) AS recent_quick,
         COALESCE(SUM(waits) FILTER (WHERE age >= 14), 0) AS older, COALESCE(SUM(waits) FILTER (WHERE age >= 14 AND delay = 0), 0) AS older_quick
  FROM monitoring.waits
  WHERE age >= 7 AND delay < 7
  GROUP BY stage
),
pooled AS (
  SELECT *, CAST(recent_quick + older_quick AS DOUBLE) / (recent + older) AS share FROM quick
)
SELECT stage, recent, recent_quick, older, older_quick,
       CASE WHEN recent > 0 AND older > 0 AND share > 0 AND share < 1
            THEN (CAST(recent_quick AS DOUBLE) / recent - CAST(older_quick AS DOUBLE) / older)
                 / sqrt(share * (1 - share) * (1.0 / recent + 1.0 / older)) END AS z
FROM pooled
