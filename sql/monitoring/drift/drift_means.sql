/*---
name: drift_means
description: Each feature that is a number, in the looks the model learned from and in the latest - its mean, its missing share, and how far the two distributions lie apart (KS, PSI).
key: [feature]
---*/
WITH counts AS (
  SELECT feature, value, COUNT(*) FILTER (WHERE side = 'training') AS a, COUNT(*) FILTER (WHERE side = 'latest') AS b
  FROM monitoring.drift_numbers WHERE value IS NOT NULL
  GROUP BY feature, value
),
running AS (
  SELECT feature, value, a, b, SUM(a) OVER so_far AS below_a, SUM(b) OVER so_far AS below_b, SUM(a) OVER all_of_it AS n_a, SUM(b) OVER all_of_it AS n_b
  FROM counts
  WINDOW so_far AS (PARTITION BY feature ORDER BY value ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
         all_of_it AS (PARTITION BY feature)
),
apart AS (
  SELECT feature, MAX(n_a) AS training_n, MAX(n_b) AS latest_n,
         MAX(abs(CAST(below_a AS DOUBLE) / n_a - CAST(below_b AS DOUBLE) / n_b)) AS ks
  FROM running WHERE n_a > 0 AND n_b > 0
  GROUP BY feature
),
-- Tenths of the training looks; a value that many share stays in one of them.
tenths AS (
  SELECT feature, LEAST(CAST(floor(10.0 * (below_a - a) / n_a) AS BIGINT), 9) AS tenth, SUM(a) AS a, SUM(b) AS b, MAX(n_a) AS n_a, MAX(n_b) AS n_b
  FROM running WHERE n_a > 0 AND n_b > 0
  GROUP BY feature, LEAST(CAST(floor(10.0 * (below_a - a) / n_a) AS BIGINT), 9)
),
parts AS (SELECT feature, (a + 0.5) / (n_a + 5.0) AS p, (b + 0.5) / (n_b + 5.0) AS q FROM tenths),
stability AS (SELECT feature, CAST(SUM(CAST((q - p) * ln(q / p) AS DECIMAL(30, 15))) AS DOUBLE) AS psi FROM parts GROUP BY feature),
means AS (
  SELECT feature,
         CAST(SUM(CASE WHEN side = 'training' THEN TRY_CAST(value AS DECIMAL(30, 9)) END) AS DOUBLE) / NULLIF(COUNT(value) FILTER (WHERE side = 'training'), 0) AS training,
         CAST(SUM(CASE WHEN side = 'latest' THEN TRY_CAST(value AS DECIMAL(30, 9)) END) AS DOUBLE) / NULLIF(COUNT(value) FILTER (WHERE side = 'latest'), 0) AS latest,
         1 - CAST(COUNT(value) FILTER (WHERE side = 'training') AS DOUBLE) / NULLIF(COUNT(*) FILTER (WHERE side = 'training'), 0) AS training_missing,
         1 - CAST(COUNT(value) FILTER (WHERE side = 'latest') AS DOUBLE) / NULLIF(COUNT(*) FILTER (WHERE side = 'latest'), 0) AS latest_missing
  FROM monitoring.drift_numbers
  GROUP BY feature
)
SELECT m.feature, COALESCE(a.training_n, 0) AS training_n, COALESCE(a.latest_n, 0) AS latest_n, m.training, m.latest, m.training_missing, m.latest_missing,
       a.ks, s.psi,
       -- Worth a word: apart by more than $drift_worth, and by more than chance in samples of this size (1 %).
       COALESCE(a.ks > $drift_worth AND a.ks > 1.63 * sqrt(1.0 / a.training_n + 1.0 / a.latest_n), false) AS moved
FROM means m
LEFT JOIN apart a ON a.feature = m.feature
LEFT JOIN stability s ON s.feature = m.feature
