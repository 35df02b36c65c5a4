/*---
name: scan
description: The window on which each explanation by one change fits best, how it has gone on to the last day, and what all the watched days together say.
key: [metric, segment_column, segment_value]
---*/
-- What has ended was an earlier report's to tell, and counts for less: most windows have ended, and as far as chance goes
-- with them, the line that a change must cross would be further off for what goes on.
WITH counted AS (
  SELECT *, z * CASE WHEN to_day < MAX(to_day) OVER (PARTITION BY series) THEN $ended_counts ELSE 1.0 END AS counted_z,
         ROW_NUMBER() OVER (PARTITION BY series ORDER BY from_day, to_day DESC) AS width
  FROM monitoring.scan_windows
),
ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY series ORDER BY abs(counted_z) DESC, from_day, to_day DESC) AS place FROM counted
),
before AS (
  SELECT series, SUM(n) AS before_n, SUM(x) AS before_x FROM monitoring.scan_counts WHERE is_reference GROUP BY series
),
last AS (
  SELECT series, from_day, MAX(to_day) AS to_day FROM monitoring.scan_windows GROUP BY series, from_day
)
SELECT s.metric, s.segment_column, s.segment_value, s.series, f.before_n, f.before_x, b.from_day, b.to_day, b.n, b.x, b.expected, b.phi, b.counted_z AS z, b.apart_z,
       o.to_day AS last_day, o.n AS n_to_last, o.x AS x_to_last, o.expected AS expected_to_last, o.z AS z_to_last,
       w.slope / w.bend AS shift, 1 / sqrt(w.bend) AS shift_error
FROM ranked b
JOIN monitoring.series s ON s.series = b.series
JOIN before f ON f.series = b.series
JOIN last l ON l.series = b.series AND l.from_day = b.from_day
JOIN monitoring.scan_windows o ON o.series = b.series AND o.from_day = l.from_day AND o.to_day = l.to_day
JOIN counted w ON w.series = b.series AND w.width = 1
WHERE b.place = 1
