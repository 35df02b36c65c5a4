/*---
name: readiness
description: How many recommendations must be old enough before a change in a segment can be told from chance, how many are, and when the rest will be.
key: [metric, segment_column, segment_value]
---*/
WITH log AS (
  SELECT MAX(shown_on) AS last_day, COUNT(*) AS days, COUNT(*) FILTER (WHERE period = 'watched') AS watched_days FROM monitoring.days
),
shop AS (
  SELECT metric, SUM(mature) AS mature, SUM(mature_yes) AS mature_yes, SUM(shown) AS shown, SUM(confirmed) AS confirmed
  FROM monitoring.daily WHERE segment_column = 'shop' GROUP BY metric
),
seen AS (
  SELECT metric, segment_column, segment_value, SUM(shown) AS shown FROM monitoring.daily GROUP BY metric, segment_column, segment_value
),
base AS (
  SELECT m.metric, m.days_until_known, l.segment_column, l.segment_value,
         g.last_day, g.days, g.watched_days,
         COALESCE(s.shown, 0) AS shown,
         COALESCE(r.mature, 0) AS reference_mature,
         COALESCE(w.mature, 0) AS have,
         COALESCE(w.shown, 0) AS watched_shown,
         -- What we expect of it: its own reference rate, or the shop's where it has none, or what the shop is forecast.
         CASE WHEN r.mature > 0 THEN (r.mature_yes + 0.5) / (r.mature + 1.0)
              WHEN a.mature > 0 THEN (a.mature_yes + 0.5) / (a.mature + 1.0)
              ELSE f.provisional_rate END AS expected_rate
  FROM monitoring.metrics m
  CROSS JOIN monitoring.segment_list l
  CROSS JOIN log g
  LEFT JOIN shop a ON a.metric = m.metric
  LEFT JOIN monitoring.nowcasts f ON f.metric = m.metric AND f.segment_column = 'shop' AND f.span = 'reference'
  LEFT JOIN seen s ON s.metric = m.metric AND s.segment_column = l.segment_column AND s.segment_value = l.segment_value
  LEFT JOIN monitoring.periods r ON r.metric = m.metric AND r.segment_column = l.segment_column
                                AND r.segment_value = l.segment_value AND r.period = 'reference'
  LEFT JOIN monitoring.periods w ON w.metric = m.metric AND w.segment_column = l.segment_column
                                AND w.segment_value = l.segment_value AND w.period = 'watched'
),
wanted AS (
  SELECT *, CAST(ceil($enough / NULLIF(LEAST(expected_rate, 1 - expected_rate), 0.0)) AS BIGINT) AS needed FROM base
),
-- The first watched day by whose end enough had been shown; its outcomes are known so many days later.
reached AS (
  SELECT w.metric, w.segment_column, w.segment_value, MIN(c.shown_on) AS shown_on
  FROM wanted w
  JOIN (
    SELECT d.metric, d.segment_column, d.segment_value, d.shown_on,
           SUM(d.shown) OVER (PARTITION BY d.metric, d.segment_column, d.segment_value ORDER BY d.shown_on
                              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far
    FROM monitoring.daily d JOIN monitoring.days n ON n.shown_on = d.shown_on AND n.period = 'watched'
  ) c ON c.metric = w.metric AND c.segment_column = w.segment_column AND c.segment_value = w.segment_value AND c.so_far >= w.needed
  GROUP BY w.metric, w.segment_column, w.segment_value
),
-- Otherwise as many days more as it takes at the pace of the whole log, after the reference is complete.
paced AS (
  SELECT w.*, r.shown_on AS reached_on,
         GREATEST($reference_days - w.days, 0) + CAST(ceil((w.needed - w.watched_shown) * w.days / NULLIF(CAST(w.shown AS DOUBLE), 0)) AS BIGINT) AS days_more
  FROM wanted w
  LEFT JOIN reached r ON r.metric = w.metric AND r.segment_column = w.segment_column AND r.segment_value = w.segment_value
)
SELECT metric, segment_column, segment_value, shown, reference_mature, watched_shown, have, expected_rate, needed,
       CASE WHEN shown = 0 THEN 'nothing_shown'
            WHEN watched_days = 0 THEN 'reference_not_complete'
            WHEN reference_mature = 0 THEN 'no_reference'
            WHEN have < needed THEN 'too_few'
            ELSE 'enough' END AS why,
       CASE WHEN shown > 0 AND needed < 100000000 AND COALESCE(days_more, 0) < 3650 THEN
         CAST(CAST(COALESCE(reached_on, last_day) AS INT) + 1 + days_until_known
              + CASE WHEN reached_on IS NULL THEN CAST(days_more AS INT) ELSE 0 END AS DATE) END AS known_on
FROM paced
