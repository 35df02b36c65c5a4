/*---
name: short_lists
description: More customers than under the release that serves have a list that is shorter than most.
severity: error
---*/
WITH lists AS (
  SELECT 'candidate' AS of_release, customer_id, COUNT(*) AS articles FROM candidate.recommendations GROUP BY customer_id
  UNION ALL SELECT 'serving', customer_id, COUNT(*) FROM serving.recommendations GROUP BY customer_id
),
longest AS (SELECT of_release, MAX(articles) AS articles FROM lists GROUP BY of_release),
shares AS (
  SELECT l.of_release, COUNT(*) AS customers, SUM(CASE WHEN l.articles < m.articles THEN 1 ELSE 0 END) AS short
  FROM lists l JOIN longest m ON m.of_release = l.of_release
  GROUP BY l.of_release
)
SELECT concat(c.short, ' of ', c.customers, ' customers have fewer articles in their list than the others; under the release that serves ', s.short, ' of ', s.customers) AS because
FROM shares c JOIN shares s ON c.of_release = 'candidate' AND s.of_release = 'serving'
WHERE CAST(c.short AS DOUBLE) / c.customers > CAST(s.short AS DOUBLE) / s.customers + $gate_short_lists
