/*---
name: collection_states
description: What may be said of each collection - no data, prior only, provisional or confirmed - against the same season's last collection at the same age, and when more.
key: [season]
---*/
WITH own AS (
  SELECT season, SUM(looks) AS looks, SUM(mature) AS mature, SUM(mature_yes) AS mature_yes,
         MAX(CASE WHEN mature > 0 THEN age_days END) AS known_age, MAX(looked_on) AS last_look, MIN(looked_on) AS first_look
  FROM monitoring.collection_looks GROUP BY season
),
known AS (SELECT MAX(known_until) AS known_until FROM monitoring.collection_looks),
-- The earlier collection up to the age that is known of this one; all of it while nothing is known yet.
prior AS (
  SELECT c.season, SUM(l.mature) AS prior_n, SUM(l.mature_yes) AS prior_x
  FROM monitoring.collections c
  LEFT JOIN own o ON o.season = c.season
  JOIN monitoring.collection_looks l ON l.season = c.previous AND (o.known_age IS NULL OR l.age_days <= o.known_age)
  GROUP BY c.season
),
counts AS (
  SELECT c.season, c.articles, c.launched_on, c.ends_on, c.previous, c.launched_in_between, k.known_until, o.known_age, o.first_look, o.last_look,
         COALESCE(o.looks, 0) AS looks, COALESCE(o.mature, 0) AS mature, COALESCE(o.mature_yes, 0) AS mature_yes,
         COALESCE(p.prior_n, 0) AS prior_n, COALESCE(p.prior_x, 0) AS prior_x,
         CASE WHEN p.prior_n > 0 THEN (p.prior_x + 0.5) / (p.prior_n + 1.0) WHEN o.mature > 0 THEN (o.mature_yes + 0.5) / (o.mature + 1.0) END AS expected
  FROM monitoring.collections c
  CROSS JOIN known k
  LEFT JOIN own o ON o.season = c.season
  LEFT JOIN prior p ON p.season = c.season
),
wanted AS (
  SELECT *, CAST(ceil($enough / LEAST(expected, 1 - expected)) AS BIGINT) AS needed FROM counts
),
-- The day by whose end enough had looked; what they bought is known a purchase window later.
reached AS (
  SELECT w.season, MIN(c.looked_on) AS looked_on
  FROM wanted w
  JOIN (
    SELECT season, looked_on, SUM(looks) OVER (PARTITION BY season ORDER BY age_days ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far
    FROM monitoring.collection_looks
  ) c ON c.season = w.season AND c.so_far >= w.needed
  GROUP BY w.season
),
paced AS (
  SELECT w.*, COALESCE(r.looked_on, CASE WHEN w.looks > 0 THEN
           CAST(CAST(w.last_look AS INT) + CAST(LEAST(ceil((w.needed - w.looks) * (CAST(w.last_look AS INT) - CAST(w.first_look AS INT) + 1.0) / w.looks), 3650.0) AS INT) AS DATE) END) AS enough_on
  FROM wanted w
  LEFT JOIN reached r ON r.season = w.season
)
SELECT season, articles, launched_on, ends_on, previous, launched_in_between, known_until, known_age, looks, mature, mature_yes,
       CAST(mature_yes AS DOUBLE) / NULLIF(mature, 0) AS confirmed_rate,
       wilson_lower(mature_yes, mature) AS confirmed_lower, wilson_upper(mature_yes, mature) AS confirmed_upper,
       prior_n, prior_x, CAST(prior_x AS DOUBLE) / NULLIF(prior_n, 0) AS prior_rate, needed,
       CASE WHEN mature >= needed THEN 'confirmed' WHEN mature > 0 THEN 'provisional' WHEN prior_n > 0 THEN 'prior_only' ELSE 'no_data' END AS state,
       CASE WHEN mature < needed THEN CAST(CAST(enough_on AS TIMESTAMP) + $purchase_window + INTERVAL '1' DAY AS DATE) END AS enough_known_on
FROM paced
