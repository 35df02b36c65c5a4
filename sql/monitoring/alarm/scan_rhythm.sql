/*---
name: scan_rhythm
description: What each weekday multiplies the whole shop's odds by, read from the reference days as far as weekdays differ more than the days of one do.
key: [shop, weekday]
---*/
WITH days AS (
  SELECT series AS shop, weekday, x - n * odds / (1 + odds) AS off, n * odds / ((1 + odds) * (1 + odds)) AS v
  FROM monitoring.scan_usual
  WHERE is_shop AND is_reference
),
weekdays AS (
  SELECT shop, weekday, COUNT(*) AS days, CAST(SUM(CAST(off AS DECIMAL(30, 12))) AS DOUBLE) AS off,
         CAST(SUM(CAST(v AS DECIMAL(30, 12))) AS DOUBLE) AS v, CAST(SUM(CAST(off * off / v AS DECIMAL(30, 12))) AS DOUBLE) AS spread
  FROM days
  WHERE v > 0
  GROUP BY shop, weekday
),
-- One after the other, so that sums of fractions do not depend on how the work is split.
sums AS (
  SELECT *, COUNT(*) OVER week AS kinds, SUM(days) OVER week AS counted, SUM(spread) OVER week AS total, SUM(off * off / v) OVER week AS between_kinds
  FROM weekdays
  WINDOW week AS (PARTITION BY shop ORDER BY weekday ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
-- Each weekday's mean is drawn to the mean of all by as much as chance makes weekdays differ.
kept AS (
  SELECT *, GREATEST(0.0, 1 - GREATEST(total - between_kinds, 0.0) / (counted - kinds) * (kinds - 1) / between_kinds) AS kept
  FROM sums
  WHERE counted >= 14 AND kinds > 1 AND between_kinds > 0
)
SELECT shop, weekday, exp(kept * off / v) AS times, kept * (kinds - 1) AS used
FROM kept
