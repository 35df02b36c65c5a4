/*---
name: drift_shares
description: Each value of each feature that is a category - its share of the looks the model learned from and of the latest, and how far the feature lies apart in all.
key: [feature, value]
---*/
WITH counts AS (
  SELECT feature, COALESCE(value, 'not given') AS value,
         COUNT(*) FILTER (WHERE side = 'training') AS training_x, COUNT(*) FILTER (WHERE side = 'latest') AS latest_x
  FROM monitoring.drift_texts
  GROUP BY feature, COALESCE(value, 'not given')
),
totals AS (
  SELECT *, SUM(training_x) OVER whole AS training_n, SUM(latest_x) OVER whole AS latest_n
  FROM counts WINDOW whole AS (PARTITION BY feature)
),
shares AS (
  SELECT *, CAST(training_x AS DOUBLE) / training_n AS training, CAST(latest_x AS DOUBLE) / latest_n AS latest,
         (training_x + 0.5) / (training_n + 1.0) AS p, (latest_x + 0.5) / (latest_n + 1.0) AS q
  FROM totals WHERE training_n > 0 AND latest_n > 0
),
apart AS (
  SELECT feature, CAST(SUM(CAST(abs(latest - training) / 2 AS DECIMAL(30, 15))) AS DOUBLE) AS distance,
         CAST(SUM(CAST((q - p) * ln(q / p) AS DECIMAL(30, 15))) AS DOUBLE) AS psi
  FROM shares GROUP BY feature
)
SELECT s.feature, s.value, s.training_n, s.training_x, s.latest_n, s.latest_x, s.training, s.latest, a.distance, a.psi,
       abs(s.latest - s.training) > $drift_worth
         AND abs(s.latest - s.training) > 1.63 * sqrt(1.0 / s.training_n + 1.0 / s.latest_n) AS moved
FROM shares s
JOIN apart a ON a.feature = s.feature
