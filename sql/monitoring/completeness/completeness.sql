/*---
name: completeness
description: Where the log or the shop's events are not whole - days without any, an end before the report, days with half or twice of what the weekday and the year before let expect; what chance or the season explains is not told.
key: [source, kind, first_day]
---*/
WITH days AS (SELECT * FROM monitoring.arrival_days),
-- How much more days differ than single rows by chance would have them; the median, so that what is told does not hide itself.
spread AS (
  SELECT source, kind, GREATEST(1.0, COALESCE(median(power(rows - usual, 2) / usual) / 0.455, 1.0)) AS phi FROM days WHERE usual >= 1 GROUP BY source, kind
),
ends AS (SELECT source, kind, MAX(number) AS last_number FROM days GROUP BY source, kind),
empty AS (SELECT *, number - ROW_NUMBER() OVER (PARTITION BY source, kind ORDER BY number) AS island FROM days WHERE rows = 0),
runs AS (
  SELECT source, kind, MIN(day) AS first_day, MAX(day) AS last_day, MIN(number) AS first_number, MAX(number) AS last_number, COUNT(*) AS days,
         COUNT(year_rows) AS year_days, COALESCE(SUM(year_rows), 0) AS year_rows
  FROM empty GROUP BY source, kind, island
),
-- As many days on either side, and no fewer than four weeks.
sides AS (
  SELECT r.source, r.kind, r.first_number,
         SUM(k.rows) FILTER (WHERE k.number < r.first_number) AS before, COUNT(*) FILTER (WHERE k.number < r.first_number) AS before_days,
         SUM(k.rows) FILTER (WHERE k.number > r.last_number) AS after, COUNT(*) FILTER (WHERE k.number > r.last_number) AS after_days
  FROM runs r
  JOIN days k ON k.source = r.source AND k.kind = r.kind
  WHERE k.rows >= 0 AND k.number >= r.first_number - GREATEST(r.days, 28) AND k.number <= r.last_number + GREATEST(r.days, 28)
  GROUP BY r.source, r.kind, r.first_number
),
gaps AS (
  SELECT r.*, CASE WHEN r.last_number = e.last_number THEN 'ended' ELSE 'missing' END AS state, COALESCE(p.phi, 1.0) AS phi,
         r.days * CASE WHEN s.after_days = 0 THEN CAST(s.before AS DOUBLE) / s.before_days
                       ELSE LEAST(CAST(s.before AS DOUBLE) / s.before_days, CAST(s.after AS DOUBLE) / s.after_days) END AS expected
  FROM runs r
  JOIN sides s ON s.source = r.source AND s.kind = r.kind AND s.first_number = r.first_number
  JOIN ends e ON e.source = r.source AND e.kind = r.kind
  LEFT JOIN spread p ON p.source = r.source AND p.kind = r.kind
),
told_gaps AS (
  -- What was as empty a year earlier is the season's.
  SELECT *, kind IN ('shown', 'event') AS is_whole FROM gaps
  WHERE expected >= $missing_rows * phi AND NOT (year_days = days AND year_rows < 0.25 * expected)
),
-- Where the whole source lacks a day, its kinds need not be told as well; of an end the kinds say more.
some_gaps AS (
  SELECT g.* FROM told_gaps g
  WHERE NOT EXISTS (
    SELECT 1 FROM told_gaps w
    WHERE w.source = g.source AND w.kind <> g.kind AND w.state = g.state
      AND (w.is_whole AND (g.state = 'missing' OR g.source = 'recommendations') AND w.first_number <= g.last_number AND w.last_number >= g.first_number AND g.days <= 2 * w.days
           OR g.is_whole AND g.state = 'ended' AND g.source = 'transactions')
  )
),
-- How busy the days beside a day are; a sale makes many days busy, a day counted twice only itself.
beside AS (
  SELECT *, (SUM(rows / NULLIF(usual, 0)) OVER near - COALESCE(rows / NULLIF(usual, 0), 0.0)) / NULLIF(COUNT(rows / NULLIF(usual, 0)) OVER near - 1, 0) AS neighbours
  FROM days
  WINDOW near AS (PARTITION BY source, kind ORDER BY number ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING)
),
counted AS (
  SELECT d.*, t.twins, (d.rows - d.usual) / sqrt(p.phi * d.usual * (1 + 1.57 / d.weeks)) AS z,
         COALESCE(d.year_rows <= 0.8 * d.year_usual, false) AS year_low, COALESCE(d.year_rows >= 1.5 * d.year_usual, false) AS year_high
  FROM beside d
  JOIN spread p ON p.source = d.source AND p.kind = d.kind
  LEFT JOIN monitoring.twin_days t ON t.source = d.source AND t.day = d.day
  WHERE d.kind IN ('shown', 'event') AND d.rows > 0 AND d.usual > 0 AND d.weeks >= 2
),
odd AS (
  SELECT source, kind, day, number, rows, usual, twins,
         CASE WHEN twins >= 5 AND twins >= (rows - twins) * 0.5 THEN 'twice'
              WHEN z <= -4 AND rows <= 0.65 * usual AND NOT year_low THEN 'partial'
              WHEN z >= 5 AND rows >= 1.8 * usual AND rows <= 2.2 * usual AND neighbours < 1.3 AND NOT year_high THEN 'double' END AS state
  FROM counted
),
-- Without a weekday to hold it against, a day can still hold rows a second time.
twins AS (
  SELECT d.source, d.kind, d.day, d.number, d.rows, d.usual, t.twins, 'twice' AS state
  FROM days d
  JOIN monitoring.twin_days t ON t.source = d.source AND t.day = d.day
  WHERE d.kind IN ('shown', 'event') AND d.rows > 0 AND (d.usual IS NULL OR d.usual <= 0 OR d.weeks < 2) AND t.twins >= 5 AND t.twins >= (d.rows - t.twins) * 0.5
),
days_told AS (
  SELECT *, number - ROW_NUMBER() OVER (PARTITION BY source, kind, state ORDER BY number) AS island
  FROM (SELECT * FROM odd WHERE state IS NOT NULL UNION ALL SELECT * FROM twins)
),
day_runs AS (
  SELECT source, kind, state, MIN(day) AS first_day, MAX(day) AS last_day, COUNT(*) AS days, SUM(rows) AS rows,
         SUM(CAST(usual AS DECIMAL(30, 3))) AS expected, SUM(twins) AS twins
  FROM days_told GROUP BY source, kind, state, island
)
SELECT source, kind, first_day, last_day, CAST(days AS BIGINT) AS days, state, CAST(0 AS BIGINT) AS rows, CAST(round(expected) AS BIGINT) AS expected, CAST(NULL AS BIGINT) AS twins
FROM some_gaps
UNION ALL
SELECT source, kind, first_day, last_day, CAST(days AS BIGINT), state, CAST(rows AS BIGINT), CAST(round(CAST(expected AS DOUBLE)) AS BIGINT), CAST(twins AS BIGINT)
FROM day_runs
