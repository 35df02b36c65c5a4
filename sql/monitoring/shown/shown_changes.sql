/*---
name: shown_changes
description: How what is shown differs from what was shown before (a year earlier, in an earlier season), what of it the catalogue accounts for, and whether chance would do as much.
key: [attribute, value, against]
---*/
WITH pairs AS (
  SELECT a.attribute, a.value, b.span AS against, b.place, b.days AS before_days, a.days AS after_days, b.shown AS before_shown, a.shown AS after_shown,
         b.mean AS before, a.mean AS after, a.mean - b.mean AS step, b.even_mean AS even_before, a.even_mean AS even_after,
         (a.mean - a.even_mean) - (b.mean - b.even_mean) AS choice_step,
         a.variance AS va, b.variance AS vb, a.choice_variance AS ca, b.choice_variance AS cb,
         -- A number's step is measured by how far articles lie apart; a share's by all that was shown.
         CASE WHEN a.value = '' THEN NULLIF(b.deviation, 0.0) ELSE 1.0 END AS scale,
         -- The share that stands for "nothing changed", to know how many must be shown.
         CASE WHEN a.value <> '' THEN (a.mean * a.shown + b.mean * b.shown) / (a.shown + b.shown) END AS pooled
  FROM monitoring.shown_means a
  JOIN monitoring.shown_means b ON b.attribute = a.attribute AND b.value = a.value AND b.span <> 'watched'
  WHERE a.span = 'watched'
),
wanted AS (
  SELECT *, CASE WHEN pooled IS NULL THEN $enough ELSE CAST(ceil($enough / NULLIF(LEAST(pooled, 1 - pooled), 0.0)) AS BIGINT) END AS needed FROM pairs
),
judged AS (
  SELECT *, CASE WHEN before_days < $shown_days THEN 'few_days_before'
                 WHEN after_days < $shown_days THEN 'few_days'
                 WHEN pooled <= 0 OR pooled >= 1 THEN 'always_the_same'
                 WHEN before_shown < needed THEN 'too_few_before'
                 WHEN after_shown < needed THEN 'too_few' END AS why
  FROM wanted
),
errors AS (
  SELECT *, CASE WHEN why IS NULL THEN sqrt(va + vb) END AS error, CASE WHEN why IS NULL THEN sqrt(ca + cb) END AS choice_error,
         CASE WHEN why IS NULL THEN GREATEST((va + vb) * (va + vb) / NULLIF(va * va / (after_days - 1) + vb * vb / (before_days - 1), 0.0), 4.0) END AS freedom
  FROM judged
),
-- Everything looked at together may say a false word in at most $false_alarms of the reports: the normal distribution's
-- tail, 2 phi(z) / z, shared among all questions (two for each row: what was shown, what was chosen).
lines AS (
  SELECT sqrt(2 * ln(GREATEST(questions * 0.797885 / sqrt(2 * ln(questions)), 1.1))) AS z
  FROM (SELECT GREATEST(2.0 * COUNT(error), 1.0) / GREATEST($false_alarms, 0.000001) AS questions FROM errors)
),
-- Few days say less than many: Student's t by Cornish and Fisher's series.
widths AS (
  SELECT e.*,
         l.z + (power(l.z, 3) + l.z) / (4 * freedom) + (5 * power(l.z, 5) + 16 * power(l.z, 3) + 3 * l.z) / (96 * freedom * freedom)
             + (3 * power(l.z, 7) + 19 * power(l.z, 5) + 17 * power(l.z, 3) - 15 * l.z) / (384 * power(freedom, 3)) AS line,
         1.959964 + 2.372271 / freedom + 2.822498 / (freedom * freedom) + 2.555853 / power(freedom, 3) AS usual
  FROM errors e CROSS JOIN lines l
)
SELECT attribute, value, against, place, before_days, after_days, before_shown, after_shown, before, after, step, step - usual * error AS step_lower, step + usual * error AS step_upper,
       even_before, even_after, choice_step, error, choice_error, freedom, line, line * error AS noticed_from, abs(step) / scale AS distance,
       CASE WHEN why = 'always_the_same' THEN 'no_change'
            WHEN why IS NOT NULL THEN 'too_early'
            WHEN abs(step) <= line * error THEN 'no_change'
            WHEN abs(step) < $shown_worth * COALESCE(scale, 0.0) THEN 'slight'
            ELSE 'moved' END AS state,
       COALESCE(abs(choice_step) > line * choice_error AND abs(choice_step) >= $shown_worth * COALESCE(scale, 0.0), false) AS choice_moved,
       CASE WHEN why <> 'always_the_same' THEN why END AS why,
       CASE why WHEN 'few_days_before' THEN before_days WHEN 'few_days' THEN after_days WHEN 'too_few_before' THEN before_shown WHEN 'too_few' THEN after_shown END AS have,
       CASE WHEN why IN ('few_days_before', 'few_days') THEN $shown_days WHEN why IN ('too_few_before', 'too_few') THEN needed END AS needed
FROM widths
