/*---
name: usual_rates
description: What each profile usually does - the shop's rate on the reference days, moved by what is peculiar to each segment the profile belongs to (main effects in logits).
key: [metric, profile]
kept: false
---*/
WITH RECURSIVE columns AS (
  SELECT profile, segment_value, DENSE_RANK() OVER (ORDER BY segment_column) AS place
  FROM monitoring.segments WHERE segment_column <> 'shop'
),
reference AS (
  SELECT c.metric, c.profile,
         COALESCE(SUM(c.mature) FILTER (WHERE d.period = 'reference'), 0) AS n,
         COALESCE(SUM(c.mature_yes) FILTER (WHERE d.period = 'reference'), 0) AS x
  FROM monitoring.cohorts c JOIN monitoring.days d ON d.shown_on = c.shown_on
  GROUP BY c.metric, c.profile
),
-- Column by column, and around again, until the profiles of each segment together do what the segment did: columns that go
-- together, such as one and its crossing with another, are not counted twice.  Twice around is near enough, for only how
-- a day's mix differs from the reference's is read from this.
fitted AS (
  SELECT metric, profile, n, x, 0 AS step, CAST(0 AS DOUBLE) AS logit FROM reference
  UNION ALL
  SELECT f.metric, f.profile, f.n, f.x, f.step + 1,
         f.logit + ln((SUM(f.x) OVER alike + 0.5) / (SUM(f.n - f.x) OVER alike + 0.5))
                 - ln((SUM(CAST(f.n / (1 + exp(-f.logit)) AS DECIMAL(30, 12))) OVER alike + 0.5)
                    / (SUM(CAST(f.n / (1 + exp(f.logit)) AS DECIMAL(30, 12))) OVER alike + 0.5))
  FROM fitted f
  CROSS JOIN (SELECT MAX(place) AS places FROM columns) k
  LEFT JOIN columns c ON c.profile = f.profile AND c.place = f.step % k.places + 1
  WHERE f.step < 2 * k.places
  WINDOW alike AS (PARTITION BY f.metric, c.segment_value)
)
SELECT metric, profile, 1 / (1 + exp(-logit)) AS rate
FROM fitted
WHERE step = (SELECT COALESCE(2 * MAX(place), 0) FROM columns)
