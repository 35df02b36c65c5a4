/*---
name: drift_means
description: Each feature that is a number, in the looks the model learned from and in the latest - its mean, its missing share, how far the two distributions lie apart (KS, PSI), and whether it only goes on as it did while the model learned.
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
         CAST(SUM(CASE WHEN side = 'training' THEN TRY_CAST(value * value AS DECIMAL(38, 9)) END) AS DOUBLE) / NULLIF(COUNT(value) FILTER (WHERE side = 'training'), 0) AS training_square,
         -- Between 0 and 1 it is a share.
         COALESCE(MIN(value) >= 0 AND MAX(value) <= 1, false) AS is_share,
         1 - CAST(COUNT(value) FILTER (WHERE side = 'training') AS DOUBLE) / NULLIF(COUNT(*) FILTER (WHERE side = 'training'), 0) AS training_missing,
         1 - CAST(COUNT(value) FILTER (WHERE side = 'latest') AS DOUBLE) / NULLIF(COUNT(*) FILTER (WHERE side = 'latest'), 0) AS latest_missing
  FROM monitoring.drift_numbers
  GROUP BY feature
),
-- What grows because time goes on - a count of everything so far, a shop that sells more from month to month - is no news
-- while it grows as it did: the months of training, and the line through them as far as the latest looks.
months AS (
  SELECT feature, CAST(date_part('year', as_of) AS BIGINT) * 12 + CAST(date_part('month', as_of) AS BIGINT) AS month,
         CAST(SUM(TRY_CAST(value AS DECIMAL(30, 9))) AS DOUBLE) / COUNT(value) AS mean
  FROM monitoring.drift_numbers
  WHERE side = 'training' AND value IS NOT NULL
  GROUP BY feature, CAST(date_part('year', as_of) AS BIGINT) * 12 + CAST(date_part('month', as_of) AS BIGINT)
  HAVING COUNT(value) >= 30
),
latest_month AS (
  SELECT feature, AVG(CAST(CAST(date_part('year', as_of) AS BIGINT) * 12 + CAST(date_part('month', as_of) AS BIGINT) AS DECIMAL(12, 3))) AS month
  FROM monitoring.drift_numbers WHERE side = 'latest' AND value IS NOT NULL
  GROUP BY feature
),
sums AS (
  SELECT feature, COUNT(*) AS months, SUM(month) AS t, SUM(month * month) AS tt,
         CAST(SUM(CAST(mean AS DECIMAL(30, 12))) AS DOUBLE) AS y, CAST(SUM(CAST(month * mean AS DECIMAL(30, 10))) AS DOUBLE) AS ty,
         CAST(SUM(CAST(mean * mean AS DECIMAL(38, 12))) AS DOUBLE) AS yy
  FROM months GROUP BY feature
),
centred AS (
  SELECT *, t / CAST(months AS DOUBLE) AS mean_t, y / months AS mean_y, tt - t * CAST(t AS DOUBLE) / months AS spread_t, ty - t * y / months AS slope_sum, yy - y * y / months AS spread_y
  FROM sums WHERE months >= 4
),
trends AS (
  SELECT c.feature, c.mean_y + c.slope_sum / c.spread_t * (CAST(l.month AS DOUBLE) - c.mean_t) AS expected,
         -- Twice the error of one month more, as far from the others as the latest looks are.
         2 * sqrt(GREATEST(c.spread_y - c.slope_sum * c.slope_sum / c.spread_t, 0.0) / (c.months - 2) * (1 + 1.0 / c.months + power(CAST(l.month AS DOUBLE) - c.mean_t, 2) / c.spread_t)) AS error,
         c.slope_sum / c.spread_t AS slope
  FROM centred c
  JOIN latest_month l ON l.feature = c.feature
),
judged AS (
  SELECT m.*, COALESCE(a.training_n, 0) AS training_n, COALESCE(a.latest_n, 0) AS latest_n, a.ks, s.psi, t.expected,
         -- Worth a word: apart by more than $drift_worth, and by more than chance in samples of this size (1 %).
         COALESCE(a.ks > $drift_worth AND a.ks > 1.63 * sqrt(1.0 / a.training_n + 1.0 / a.latest_n), false) AS apart,
         -- A step that a reader would call one: as long as a shift that far apart, and as a share of what it was.
         COALESCE(abs(m.latest - m.training) >= 2.5 * $drift_worth * sqrt(GREATEST(m.training_square - m.training * m.training, 0.0))
                  AND abs(m.latest - m.training) >= CASE WHEN m.is_share THEN $shown_worth ELSE $drift_worth * abs(m.training) END, false) AS is_step,
         COALESCE(abs(m.latest - t.expected) <= t.error AND (m.latest - m.training) * t.slope > 0, false) AS goes_on
  FROM means m
  LEFT JOIN apart a ON a.feature = m.feature
  LEFT JOIN stability s ON s.feature = m.feature
  LEFT JOIN trends t ON t.feature = m.feature
)
SELECT feature, training_n, latest_n, training, latest, training_missing, latest_missing, ks, psi, expected, apart,
       apart AND is_step AND goes_on AS goes_on, apart AND is_step AND NOT goes_on AS moved
FROM judged
