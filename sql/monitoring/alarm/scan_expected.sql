/*---
name: scan_expected
description: What the whole shop should do each day by its reference days and the weekday, and each segment by what the shop did that day; who was shown something is allowed for.
key: [series, day]
---*/
WITH shop AS (
  SELECT u.series, u.day, u.is_reference, u.n, u.x, u.odds, u.days0, u.n0, u.odds * COALESCE(r.times, 1.0) AS due, COALESCE(r.used, 0.0) AS used,
         (u.x + 0.5) / (u.n - u.x + 0.5) AS seen
  FROM monitoring.scan_usual u
  LEFT JOIN monitoring.scan_rhythm r ON r.shop = u.series AND r.weekday = u.weekday
  WHERE u.is_shop
),
level AS (
  SELECT *, n * due / (1 + due) AS e, n * due / ((1 + due) * (1 + due)) AS v FROM shop
),
-- A day without anybody else is no day to compare a segment on.
compared AS (
  SELECT u.series, u.shop, u.day, u.is_reference, CASE WHEN u.n < s.n THEN u.n ELSE 0 END AS n, CASE WHEN u.n < s.n THEN u.x ELSE 0 END AS x,
         u.odds * (s.seen / s.odds) AS due, s.n * s.seen / ((1 + s.seen) * (1 + s.seen)) AS seen
  FROM monitoring.scan_usual u
  JOIN shop s ON s.series = u.shop AND s.day = u.day
  WHERE NOT u.is_shop AND u.n0 < s.n0
),
contrast AS (
  SELECT *, n * due / (1 + due) AS e, n * due / ((1 + due) * (1 + due)) AS v FROM compared
),
sides AS (
  SELECT series, series AS shop, true AS is_shop, day, is_reference, n, x, e, v, v AS d,
         -- What phi - 1 is a multiple of.  The whole shop's day moves as one, so twice as much shown moves by twice as many.
         v * n * days0 / n0 AS moved, n * seen / ((1 + seen) * (1 + seen)) AS seen, used
  FROM level
  UNION ALL
  -- Of a segment that makes up much of the shop, only what is its own can differ from the shop.
  SELECT series, shop, false, day, is_reference, n, x, e, v, v * GREATEST(1 - v / seen, 0.01), 0.0, 0.0, 0.0
  FROM contrast
)
SELECT *, CAST(SUM(CASE WHEN is_reference THEN CAST(d AS DECIMAL(30, 12)) ELSE 0 END) OVER (PARTITION BY series) AS DOUBLE) AS reference
FROM sides
