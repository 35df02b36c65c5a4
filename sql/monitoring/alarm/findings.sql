/*---
name: findings
description: The table of verdicts - what is said of each segment (clear, possible, with the shop, unchanged, not known, too early), with the counts it rests on; every sentence, row and picture follows from it.
key: [metric, segment_column, segment_value]
---*/
WITH last_round AS (SELECT metric, MAX(round) AS round FROM monitoring.rounds GROUP BY metric),
log AS (SELECT MIN(shown_on) AS first_day, MAX(shown_on) AS last_day FROM monitoring.days),
-- Whether the days compared are there in whole, of what each metric is made of.
incomplete AS (
  SELECT m.metric, COUNT(c.kind) > 0 AS incomplete
  FROM monitoring.metrics m
  CROSS JOIN log g
  LEFT JOIN monitoring.completeness c ON c.source = 'recommendations' AND c.last_day >= g.first_day
    AND (c.kind = 'shown' OR c.kind = m.metric OR m.metric = 'kept' AND c.kind IN ('purchase', 'return'))
  GROUP BY m.metric
),
-- Who was told first explains what moved in the first round only.
explanation AS (
  SELECT a.metric, a.segment_column, a.segment_value, r.z,
         ROW_NUMBER() OVER (PARTITION BY a.metric ORDER BY CASE WHEN a.segment_column = 'shop' THEN 0 ELSE 1 END, a.segment_column, a.segment_value) AS place
  FROM monitoring.accused a
  JOIN monitoring.rounds r ON r.metric = a.metric AND r.segment_column = a.segment_column AND r.segment_value = a.segment_value AND r.round = 1
  WHERE a.sure = 'clear' AND a.certain AND a.round = 1
),
-- Where the whole shop changed, or may have: everyone else is told apart from it, or with it.
shop AS (
  SELECT a.metric, a.sure, r.z FROM monitoring.accused a
  JOIN monitoring.rounds r ON r.metric = a.metric AND r.segment_column = a.segment_column AND r.segment_value = a.segment_value AND r.round = a.round
  WHERE a.segment_column = 'shop' AND a.certain
),
everyone AS (SELECT metric, SUM(mature) AS mature FROM monitoring.periods WHERE segment_column = 'shop' GROUP BY metric),
own AS (SELECT metric, segment_column, segment_value, SUM(mature) AS mature FROM monitoring.periods GROUP BY metric, segment_column, segment_value),
looks AS (
  SELECT r.metric, r.segment_column, r.segment_value, r.segment_column = 'shop' AS is_shop, r.why, r.needed, r.have, r.known_on, r.shown,
         m.days_until_known, c.round AS told_in, c.sure, c.certain, c.rivals, c.more_days, h.threshold, h.possible_line,
         f.z AS first_z, f.phi AS first_phi, f.apart_z,
         COALESCE(w.mature = v.mature, false) AS is_everyone,
         COALESCE(a.z, e.z) AS z,
         COALESCE(a.phi, e.phi) AS phi,
         COALESCE(a.from_day, e.from_day) AS from_day,
         COALESCE(a.to_day, e.to_day) AS to_day, COALESCE(a.last_day, e.last_day) AS last_day,
         -- Without the customers who were told before, there were fewer before, too.
         CASE WHEN c.round > 1 AND r.segment_column = 'shop' THEN a.before_n END AS left_n, CASE WHEN c.round > 1 AND r.segment_column = 'shop' THEN a.before_x END AS left_x,
         COALESCE(a.n, e.n) AS n, COALESCE(a.n_to_last, e.n_to_last) AS n_to_last,
         COALESCE(a.x, e.x) AS x, COALESCE(a.x_to_last, e.x_to_last) AS x_to_last,
         COALESCE(a.expected, e.expected) AS expected,
         COALESCE(a.expected_to_last, e.expected_to_last) AS expected_to_last,
         COALESCE(a.z_to_last, e.z_to_last) AS z_to_last,
         -- Of all of its customers, as the rates beside it are.
         f.shift, f.shift_error
  FROM monitoring.readiness r
  JOIN monitoring.metrics m ON m.metric = r.metric
  LEFT JOIN monitoring.thresholds h ON h.metric = r.metric AND h.is_shop = (r.segment_column = 'shop')
  LEFT JOIN last_round l ON l.metric = r.metric
  LEFT JOIN monitoring.accused c ON c.metric = r.metric AND c.segment_column = r.segment_column AND c.segment_value = r.segment_value
  LEFT JOIN monitoring.rounds f ON f.metric = r.metric AND f.segment_column = r.segment_column AND f.segment_value = r.segment_value AND f.round = 1
  LEFT JOIN monitoring.rounds a ON a.metric = r.metric AND a.segment_column = r.segment_column AND a.segment_value = r.segment_value AND a.round = c.round
  LEFT JOIN monitoring.rounds e ON e.metric = r.metric AND e.segment_column = r.segment_column AND e.segment_value = r.segment_value
                               AND e.round = l.round AND c.round IS NULL
  LEFT JOIN everyone v ON v.metric = r.metric
  LEFT JOIN own w ON w.metric = r.metric AND w.segment_column = r.segment_column AND w.segment_value = r.segment_value
),
-- How far the rate may have moved over all watched days, as a share of what it was.
ranges AS (
  SELECT k.*, COALESCE(k.left_n, b.mature) AS before_n, COALESCE(k.left_x, b.mature_yes) AS before_x,
         COALESCE(CAST(k.left_x AS DOUBLE) / k.left_n, b.confirmed_rate) AS before,
         COALESCE(wilson_lower(k.left_x, k.left_n), b.confirmed_lower) AS before_lower, COALESCE(wilson_upper(k.left_x, k.left_n), b.confirmed_upper) AS before_upper,
         w.mature AS since_n, w.mature_yes AS since_x, w.confirmed_rate AS since_rate, w.confirmed_lower AS since_lower, w.confirmed_upper AS since_upper,
         (b.mature + 1.0) / (b.mature_yes + 0.5) / (1 + (b.mature - b.mature_yes + 0.5) / (b.mature_yes + 0.5) * exp(-(k.shift - 1.959964 * k.shift_error))) - 1 AS moved_lower,
         (b.mature + 1.0) / (b.mature_yes + 0.5) / (1 + (b.mature - b.mature_yes + 0.5) / (b.mature_yes + 0.5) * exp(-(k.shift + 1.959964 * k.shift_error))) - 1 AS moved_upper
  FROM looks k
  LEFT JOIN monitoring.periods b ON b.metric = k.metric AND b.segment_column = k.segment_column AND b.segment_value = k.segment_value AND b.period = 'reference'
  LEFT JOIN monitoring.periods w ON w.metric = k.metric AND w.segment_column = k.segment_column AND w.segment_value = k.segment_value AND w.period = 'watched'
),
judged AS (
  SELECT j.*, s.sure AS shop_sure,
         CASE WHEN j.z IS NULL AND j.first_z IS NULL OR j.threshold IS NULL THEN 'too_early'
              WHEN j.sure = 'clear' AND j.certain THEN 'clear'
              WHEN j.sure IS NOT NULL THEN 'possible'
              -- The whole shop changed, or may have, and nothing sets them apart from it.
              WHEN s.z IS NOT NULL AND NOT j.is_shop THEN CASE WHEN (j.since_rate - j.before) * s.z > 0 THEN 'with_shop' ELSE 'not_known' END
              -- Without the customers who were told already too little is left of it to be looked at again.
              WHEN j.z IS NULL THEN 'not_known'
              WHEN j.moved_lower > -($worth_telling) AND j.moved_upper < $worth_telling THEN 'unchanged'
              ELSE 'not_known' END AS state,
         -- A change counts to the last day, unless the days up to then are back to what they should be.
         j.z_to_last * j.z > 0 AND abs(j.z_to_last) > j.possible_line AS goes_on
  FROM ranges j
  LEFT JOIN shop s ON s.metric = j.metric
),
dated AS (
  SELECT *, state IN ('clear', 'possible') AS changed,
         CASE WHEN goes_on THEN last_day ELSE to_day END AS until_day,
         CASE WHEN goes_on THEN n_to_last ELSE n END AS stretch_n,
         CASE WHEN goes_on THEN x_to_last ELSE x END AS stretch_x,
         CASE WHEN goes_on THEN expected_to_last ELSE expected END AS stretch_expected
  FROM judged
)
SELECT j.metric, j.segment_column, j.segment_value, o.owner, j.state, COALESCE(j.changed AND j.is_shop AND j.told_in > 1, false) AS is_rest,
       -- That something changed can be clear before it is clear who.
       CASE WHEN j.state = 'possible' AND NOT j.certain THEN j.sure = 'clear' END AS somebody,
       CASE WHEN j.state = 'possible' THEN j.rivals END AS rivals,
       CASE WHEN j.state = 'too_early' THEN CASE WHEN j.why <> 'enough' THEN j.why WHEN j.is_everyone AND NOT j.is_shop THEN 'no_rest' ELSE 'too_few' END END AS why,
       CASE WHEN NOT j.changed AND j.state <> 'with_shop' AND GREATEST(abs(j.first_z), abs(j.apart_z)) > j.possible_line AND j.apart_z * x.z > 0 AND (x.segment_column <> j.segment_column OR x.segment_value <> j.segment_value)
            THEN concat(x.segment_column, '=', x.segment_value) END AS explained_by,
       CASE WHEN j.changed THEN k.shown_on END AS since,
       CASE WHEN j.changed AND NOT j.goes_on THEN t.shown_on END AS until,
       t.shown_on AS counted_until,
       j.shown,
       COALESCE(j.before_n, 0) AS before_n, COALESCE(j.before_x, 0) AS before_x, j.before, j.before_lower, j.before_upper,
       CASE WHEN j.changed THEN j.stretch_n ELSE COALESCE(j.since_n, 0) END AS after_n,
       CASE WHEN j.changed THEN j.stretch_x ELSE COALESCE(j.since_x, 0) END AS after_x,
       CASE WHEN j.changed THEN CAST(j.stretch_x AS DOUBLE) / j.stretch_n ELSE j.since_rate END AS after,
       CASE WHEN j.changed THEN wilson_lower(j.stretch_x, j.stretch_n) ELSE j.since_lower END AS after_lower,
       CASE WHEN j.changed THEN wilson_upper(j.stretch_x, j.stretch_n) ELSE j.since_upper END AS after_upper,
       j.stretch_expected AS expected_x,
       j.moved_lower, j.moved_upper,
       j.have, CASE WHEN j.state = 'too_early' AND j.why = 'enough' THEN GREATEST(j.needed, j.have + 1) ELSE j.needed END AS needed,
       CASE WHEN j.state = 'too_early' THEN GREATEST(j.known_on, CAST(CAST(g.last_day AS INT) + 1 AS DATE))
            WHEN j.state = 'possible' THEN CAST(CAST(g.last_day AS INT) + 1 + CAST(j.more_days AS INT) + j.days_until_known AS DATE) END AS known_on,
       j.z, j.first_z, j.apart_z, j.phi, j.threshold, j.possible_line, i.incomplete
FROM dated j
CROSS JOIN log g
JOIN incomplete i ON i.metric = j.metric
LEFT JOIN monitoring.segment_columns o ON o.segment_column = j.segment_column
LEFT JOIN explanation x ON x.metric = j.metric AND x.place = 1
LEFT JOIN monitoring.days k ON k.day = j.from_day
LEFT JOIN monitoring.days t ON t.day = j.until_day
