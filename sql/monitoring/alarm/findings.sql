/*---
name: findings
description: What is said of each segment - clear, possible, too early or none - with the counts it rests on.
key: [metric, segment_column, segment_value]
---*/
WITH last_round AS (SELECT metric, MAX(round) AS round FROM monitoring.rounds GROUP BY metric),
-- The segment whose customers were taken out first explains what moved in the first round only.
explanation AS (
  SELECT t.metric, t.segment_column, t.segment_value FROM monitoring.taken_out t WHERE t.round = 1
),
looks AS (
  SELECT r.metric, r.segment_column, r.segment_value, r.why, r.needed, r.have, r.known_on, r.shown,
         t.round AS fired_in, h.threshold, h.possible_line,
         f.z AS first_z, f.phi AS first_phi,
         COALESCE(a.z, e.z, f.z) AS z,
         COALESCE(a.phi, e.phi, f.phi) AS phi,
         COALESCE(a.from_day, e.from_day, f.from_day) AS from_day,
         COALESCE(a.to_day, e.to_day, f.to_day) AS to_day,
         COALESCE(a.n, e.n, f.n) AS stretch_n,
         COALESCE(a.x, e.x, f.x) AS stretch_x,
         COALESCE(a.expected, e.expected, f.expected) AS stretch_expected
  FROM monitoring.readiness r
  LEFT JOIN monitoring.thresholds h ON h.metric = r.metric
  LEFT JOIN last_round l ON l.metric = r.metric
  LEFT JOIN monitoring.taken_out t ON t.metric = r.metric AND t.segment_column = r.segment_column AND t.segment_value = r.segment_value
  LEFT JOIN monitoring.rounds f ON f.metric = r.metric AND f.segment_column = r.segment_column AND f.segment_value = r.segment_value AND f.round = 1
  LEFT JOIN monitoring.rounds a ON a.metric = r.metric AND a.segment_column = r.segment_column AND a.segment_value = r.segment_value AND a.round = t.round
  LEFT JOIN monitoring.rounds e ON e.metric = r.metric AND e.segment_column = r.segment_column AND e.segment_value = r.segment_value
                               AND e.round = l.round AND t.round IS NULL
),
judged AS (
  SELECT *, CASE WHEN z IS NULL OR threshold IS NULL THEN 'too_early'
                 WHEN fired_in IS NOT NULL THEN 'clear'
                 -- The whole shop is judged without the customers that are an alert of their own.
                 WHEN segment_column = 'shop' AND abs(z) > threshold THEN 'clear'
                 WHEN abs(z) > possible_line THEN 'possible'
                 ELSE 'none' END AS state
  FROM looks
)
SELECT j.metric, j.segment_column, j.segment_value, j.state,
       CASE WHEN j.state = 'too_early' THEN CASE WHEN j.why = 'enough' THEN 'no_rest' ELSE j.why END END AS why,
       CASE WHEN j.state = 'none' AND abs(j.first_z) > j.possible_line THEN concat(x.segment_column, '=', x.segment_value) END AS explained_by,
       CASE WHEN j.state IN ('clear', 'possible') THEN k.shown_on END AS since,
       CASE WHEN j.state IN ('clear', 'possible') THEN t.shown_on END AS until,
       j.shown,
       COALESCE(b.mature, 0) AS before_n, COALESCE(b.mature_yes, 0) AS before_x, b.confirmed_rate AS before,
       b.confirmed_lower AS before_lower, b.confirmed_upper AS before_upper,
       CASE WHEN j.state IN ('clear', 'possible') THEN j.stretch_n ELSE COALESCE(w.mature, 0) END AS after_n,
       CASE WHEN j.state IN ('clear', 'possible') THEN j.stretch_x ELSE COALESCE(w.mature_yes, 0) END AS after_x,
       CASE WHEN j.state IN ('clear', 'possible') THEN CAST(j.stretch_x AS DOUBLE) / j.stretch_n ELSE w.confirmed_rate END AS after,
       CASE WHEN j.state IN ('clear', 'possible') THEN wilson_lower(j.stretch_x, j.stretch_n) ELSE w.confirmed_lower END AS after_lower,
       CASE WHEN j.state IN ('clear', 'possible') THEN wilson_upper(j.stretch_x, j.stretch_n) ELSE w.confirmed_upper END AS after_upper,
       j.stretch_expected AS expected_x,
       j.have, j.needed,
       CASE WHEN j.state = 'too_early' THEN j.known_on END AS known_on,
       j.z, j.first_z, j.phi, j.threshold, j.possible_line
FROM judged j
LEFT JOIN explanation x ON x.metric = j.metric
LEFT JOIN monitoring.days k ON k.day = j.from_day
LEFT JOIN monitoring.days t ON t.day = j.to_day
LEFT JOIN monitoring.periods b ON b.metric = j.metric AND b.segment_column = j.segment_column AND b.segment_value = j.segment_value AND b.period = 'reference'
LEFT JOIN monitoring.periods w ON w.metric = j.metric AND w.segment_column = j.segment_column AND w.segment_value = j.segment_value AND w.period = 'watched'
