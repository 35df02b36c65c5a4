/*---
name: arrival_days
description: Each day's rows of each kind, none where none came, beside those of the same weekday in the eight weeks around it and of the same weekday a year earlier.
key: [source, kind, day]
kept: false
---*/
WITH known AS (
  SELECT source, kind, day, rows FROM monitoring.arrivals WHERE known_by <= $as_of AND known_by > $as_of - $arrivals_looked_at
),
spans AS (SELECT source, kind, MIN(day) AS first_day, CAST($as_of - INTERVAL '12' HOUR AS DATE) AS last_day FROM known GROUP BY source, kind),
grid AS (SELECT source, kind, CAST(unnest(generate_series(first_day, last_day, INTERVAL '1' DAY)) AS DATE) AS day FROM spans),
filled AS (
  SELECT g.source, g.kind, g.day, CAST(g.day AS INT) AS number, COALESCE(k.rows, 0) AS rows
  FROM grid g
  LEFT JOIN known k ON k.source = g.source AND k.kind = g.kind AND k.day = g.day
),
-- A week and more without any says nothing of what is usual.
islands AS (
  SELECT *, CASE WHEN rows = 0 THEN number - SUM(CASE WHEN rows = 0 THEN 1 ELSE 0 END) OVER (PARTITION BY source, kind ORDER BY number) END AS island FROM filled
),
lived AS (
  SELECT source, kind, number, rows FROM (
    SELECT *, COUNT(*) OVER (PARTITION BY source, kind, island) AS days FROM islands
  ) WHERE island IS NULL OR days < 7
),
around AS (
  SELECT f.source, f.kind, f.number, median(CAST(o.rows AS DOUBLE)) AS usual, COUNT(*) AS weeks
  FROM filled f
  JOIN lived o ON o.source = f.source AND o.kind = f.kind AND o.number % 7 = f.number % 7
  WHERE o.number <> f.number AND abs(o.number - f.number) <= 56
  GROUP BY f.source, f.kind, f.number
)
SELECT f.source, f.kind, f.day, f.number, f.rows, a.usual, COALESCE(a.weeks, 0) AS weeks, y.rows AS year_rows, b.usual AS year_usual
FROM filled f
LEFT JOIN around a ON a.source = f.source AND a.kind = f.kind AND a.number = f.number
LEFT JOIN filled y ON y.source = f.source AND y.kind = f.kind AND y.number = f.number - 364
LEFT JOIN around b ON b.source = f.source AND b.kind = f.kind AND b.number = f.number - 364
