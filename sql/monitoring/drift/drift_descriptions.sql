/*---
name: drift_descriptions
description: How near the mean description vector of each month lies to the mean of all looks the model learned from; the months of training say how near is usual.
key: [feature, side, month]
---*/
WITH usual AS (
  SELECT feature, vector_mean(vector, 1) AS centre FROM monitoring.drift_vectors WHERE side = 'training' GROUP BY feature
),
months AS (
  SELECT feature, side, CASE WHEN side = 'training' THEN CAST(date_trunc('month', as_of) AS DATE) ELSE DATE '1970-01-01' END AS month,
         vector_mean(vector, 1) AS centre, COUNT(vector) AS looks
  FROM monitoring.drift_vectors
  GROUP BY feature, side, CASE WHEN side = 'training' THEN CAST(date_trunc('month', as_of) AS DATE) ELSE DATE '1970-01-01' END
)
SELECT m.feature, m.side, m.month, m.looks, cosine_similarity(m.centre, u.centre) AS similarity
FROM months m
JOIN usual u ON u.feature = m.feature
WHERE m.looks > 0
