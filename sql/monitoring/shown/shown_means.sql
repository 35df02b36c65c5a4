/*---
name: shown_means
description: What was shown in each span of days on average, what an even choice among the articles on sale would have shown, and how much both vary from day to day.
key: [attribute, value, span]
---*/
WITH days AS (
  SELECT d.attribute, d.value, s.span, s.place, d.shown_on, d.shown, d.total, d.squares,
         -- Where a day's articles are unknown to the catalogue, nothing is said of the choice among them.
         CASE WHEN d.on_sale > 0 THEN d.shown * (d.on_sale_total / d.on_sale) ELSE d.total END AS even
  FROM monitoring.shown_spans s
  JOIN monitoring.shown_days d ON d.shown_on = s.shown_on
  WHERE d.shown > 0
),
sums AS (
  SELECT attribute, value, span, place, MIN(shown_on) AS first_day, MAX(shown_on) AS last_day, COUNT(*) AS days, SUM(shown) AS shown,
         CAST(SUM(CAST(total AS DECIMAL(30, 4))) AS DOUBLE) / SUM(shown) AS mean,
         CAST(SUM(CAST(even AS DECIMAL(30, 9))) AS DOUBLE) / SUM(shown) AS even_mean,
         CAST(SUM(CAST(squares AS DECIMAL(38, 4))) AS DOUBLE) / SUM(shown) AS square
  FROM days
  GROUP BY attribute, value, span, place
),
spread AS (
  SELECT s.attribute, s.value, s.span,
         SUM(CAST(power((d.total - d.shown * s.mean) / s.shown, 2) AS DECIMAL(38, 18))) AS by_days,
         SUM(CAST(power((d.total - d.even - d.shown * (s.mean - s.even_mean)) / s.shown, 2) AS DECIMAL(38, 18))) AS choice_by_days
  FROM sums s
  JOIN days d ON d.attribute = s.attribute AND d.value = s.value AND d.span = s.span
  GROUP BY s.attribute, s.value, s.span
)
SELECT s.attribute, s.value, s.span, s.place, s.first_day, s.last_day, s.days, s.shown, s.mean, s.even_mean, sqrt(GREATEST(s.square - s.mean * s.mean, 0.0)) AS deviation,
       -- Days differ by more than single recommendations would have them differ, or as much: the larger counts.
       GREATEST(CAST(p.by_days AS DOUBLE) * s.days / NULLIF(s.days - 1.0, 0.0), (s.square - s.mean * s.mean) / s.shown, 0.0) AS variance,
       GREATEST(CAST(p.choice_by_days AS DOUBLE) * s.days / NULLIF(s.days - 1.0, 0.0), (s.square - s.mean * s.mean) / s.shown, 0.0) AS choice_variance
FROM sums s
JOIN spread p ON p.attribute = s.attribute AND p.value = s.value AND p.span = s.span
