/*---
name: cusum
description: The daily glance - evidence that a rate has fallen by the share $glance_drop, added up day by day and never below nothing.
key: [metric, segment_column, segment_value, shown_on]
---*/
WITH levels AS (
  SELECT metric, segment_column, segment_value,
         (mature_yes + 0.5) / (mature + 1.0) AS usual,
         (mature_yes + 0.5) / (mature + 1.0) * (1 - $glance_drop) AS fallen
  FROM monitoring.periods WHERE period = 'reference' AND mature > 0
),
evidence AS (
  SELECT d.metric, d.segment_column, d.segment_value, d.shown_on, d.mature, d.mature_yes, l.usual, l.fallen,
         d.mature_yes * ln(l.fallen / l.usual) + (d.mature - d.mature_yes) * ln((1 - l.fallen) / (1 - l.usual)) AS evidence
  FROM monitoring.daily d
  JOIN monitoring.days n ON n.shown_on = d.shown_on AND n.period = 'watched'
  JOIN levels l ON l.metric = d.metric AND l.segment_column = d.segment_column AND l.segment_value = d.segment_value
  WHERE d.mature > 0
),
running AS (
  SELECT *, SUM(evidence) OVER (PARTITION BY metric, segment_column, segment_value ORDER BY shown_on
                                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS total
  FROM evidence
)
SELECT metric, segment_column, segment_value, shown_on, mature, mature_yes, usual, fallen, evidence,
       total - LEAST(0.0, MIN(total) OVER (PARTITION BY metric, segment_column, segment_value ORDER BY shown_on
                                           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS cusum
FROM running
