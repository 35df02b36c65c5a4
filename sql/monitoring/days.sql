/*---
name: days
description: The days with recommendations, numbered; the first are the reference, the others are watched.
key: [shown_on]
---*/
SELECT shown_on, day, CASE WHEN day <= $reference_days THEN 'reference' ELSE 'watched' END AS period
FROM (
  SELECT shown_on, CAST(ROW_NUMBER() OVER (ORDER BY shown_on) AS BIGINT) AS day
  FROM (SELECT DISTINCT shown_on FROM monitoring.outcomes)
)
