/*---
name: scan_expected
description: What the whole shop should do each day by its reference days, and each segment by what the shop did that day; who was shown something is allowed for.
key: [series, day]
---*/
WITH shop AS (
  SELECT *, (x + 0.5) / (n - x + 0.5) AS seen, n * odds / (1 + odds) AS e, n * odds / ((1 + odds) * (1 + odds)) AS v
  FROM monitoring.scan_usual
  WHERE is_shop
),
-- A day without anybody else is no day to compare a segment on.
compared AS (
  SELECT u.series, u.shop, u.day, u.weekday, u.is_reference, CASE WHEN u.n < s.n THEN u.n ELSE 0 END AS n, CASE WHEN u.n < s.n THEN u.x ELSE 0 END AS x,
         u.odds * (s.seen / s.odds) AS due, s.n * s.seen / ((1 + s.seen) * (1 + s.seen)) AS seen
  FROM monitoring.scan_usual u
  JOIN shop s ON s.series = u.shop AND s.day = u.day
  WHERE NOT u.is_shop AND u.n0 < s.n0
),
contrast AS (
  SELECT *, n * due / (1 + due) AS e, n * due / ((1 + due) * (1 + due)) AS v FROM compared
),
sides AS (
  SELECT series, series AS shop, true AS is_shop, day, weekday, is_reference, n, x, e, v, v AS d, CAST(n AS DOUBLE) * days0 / n0 AS usual,
         n * seen / ((1 + seen) * (1 + seen)) AS seen
  FROM shop
  UNION ALL
  -- Of a segment that makes up much of the shop, only what is its own can differ from the shop.
  SELECT series, shop, false, day, weekday, is_reference, n, x, e, v, v * GREATEST(1 - v / seen, 0.01), 0.0, 0.0
  FROM contrast
)
SELECT *, CAST(SUM(CASE WHEN is_reference THEN CAST(d AS DECIMAL(30, 12)) ELSE 0 END) OVER (PARTITION BY series) AS DOUBLE) AS reference
FROM sides
