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
         COALESCE(a.z, e.z) AS z,
         COALESCE(a.phi, e.phi) AS phi,
         COALESCE(a.from_day, e.from_day) AS from_day,
         COALESCE(a.to_day, e.to_day) AS to_day, COALESCE(a.last_day, e.last_day) AS last_day,
         COALESCE(a.n, e.n) AS n, COALESCE(a.n_to_last, e.n_to_last) AS n_to_last,
         COALESCE(a.x, e.x) AS x, COALESCE(a.x_to_last, e.x_to_last) AS x_to_last,
         COALESCE(a.expected, e.expected) AS expected,
         COALESCE(a.expected_to_last, e.expected_to_last) AS expected_to_last,
         COALESCE(a.z_to_last, e.z_to_last) AS z_to_last
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
  SELECT *, CASE WHEN z IS NULL AND first_z IS NULL OR threshold IS NULL THEN 'too_early'
                 WHEN fired_in IS NOT NULL THEN 'clear'
                 -- Without the alarmed customers too little is left of it to be looked at again.
                 WHEN z IS NULL THEN 'none'
                 -- The whole shop is judged without the customers that are an alert of their own.
                 WHEN segment_column = 'shop' AND abs(z) > threshold THEN 'clear'
                 WHEN abs(z) > possible_line THEN 'possible'
                 ELSE 'none' END AS state,
         -- A change counts to the last day, unless the days up to then are back to what they should be.
         z_to_last * z > 0 AND abs(z_to_last) > possible_line AS goes_on
  FROM looks
),
dated AS (
  SELECT *, state IN ('clear', 'possible') AS changed,
         CASE WHEN goes_on THEN last_day ELSE to_day END AS until_day,
         CASE WHEN goes_on THEN n_to_last ELSE n END AS stretch_n,
         CASE WHEN goes_on THEN x_to_last ELSE x END AS stretch_x,
         CASE WHEN goes_on THEN expected_to_last ELSE expected END AS stretch_expected
  FROM judged
)
SELECT j.metric, j.segment_column, j.segment_value, o.owner, j.state,
       CASE WHEN j.state = 'too_early' THEN CASE WHEN j.why = 'enough' THEN 'no_rest' ELSE j.why END END AS why,
       CASE WHEN j.state = 'none' AND abs(j.first_z) > j.possible_line THEN concat(x.segment_column, '=', x.segment_value) END AS explained_by,
       CASE WHEN j.changed THEN k.shown_on END AS since,
       CASE WHEN j.changed AND NOT j.goes_on THEN t.shown_on END AS until,
       t.shown_on AS counted_until,
       j.shown,
       COALESCE(b.mature, 0) AS before_n, COALESCE(b.mature_yes, 0) AS before_x, b.confirmed_rate AS before,
       b.confirmed_lower AS before_lower, b.confirmed_upper AS before_upper,
       CASE WHEN j.changed THEN j.stretch_n ELSE COALESCE(w.mature, 0) END AS after_n,
       CASE WHEN j.changed THEN j.stretch_x ELSE COALESCE(w.mature_yes, 0) END AS after_x,
       CASE WHEN j.changed THEN CAST(j.stretch_x AS DOUBLE) / j.stretch_n ELSE w.confirmed_rate END AS after,
       CASE WHEN j.changed THEN wilson_lower(j.stretch_x, j.stretch_n) ELSE w.confirmed_lower END AS after_lower,
       CASE WHEN j.changed THEN wilson_upper(j.stretch_x, j.stretch_n) ELSE w.confirmed_upper END AS after_upper,
       j.stretch_expected AS expected_x,
       j.have, j.needed,
       CASE WHEN j.state = 'too_early' THEN j.known_on END AS known_on,
       j.z, j.first_z, j.phi, j.threshold, j.possible_line
FROM dated j
LEFT JOIN monitoring.segment_columns o ON o.segment_column = j.segment_column
LEFT JOIN explanation x ON x.metric = j.metric
LEFT JOIN monitoring.days k ON k.day = j.from_day
LEFT JOIN monitoring.days t ON t.day = j.until_day
LEFT JOIN monitoring.periods b ON b.metric = j.metric AND b.segment_column = j.segment_column AND b.segment_value = j.segment_value AND b.period = 'reference'
LEFT JOIN monitoring.periods w ON w.metric = j.metric AND w.segment_column = j.segment_column AND w.segment_value = j.segment_value AND w.period = 'watched'
