/*---
name: scan_outside
description: What the days outside of each window say of the whole shop - its weekly rhythm, and how much more days vary than by chance; and what that rhythm makes of the window.
key: [shop, from_day, to_day]
---*/
-- The days to compare with are few to learn both from, so all days but the window's own are asked.
WITH days AS (
  SELECT shop, day, weekday, x - e AS off, v, usual FROM monitoring.scan_expected WHERE is_shop AND v > 0
),
windows AS (
  SELECT k.shop, k.day AS from_day, t.day AS to_day
  FROM monitoring.scan_expected k
  JOIN monitoring.scan_expected t ON t.shop = k.shop AND t.day >= k.day AND t.is_shop AND NOT t.is_reference
  WHERE k.is_shop AND NOT k.is_reference AND k.reference > 0
),
weekdays AS (
  SELECT w.shop, w.from_day, w.to_day, d.weekday,
         COUNT(*) FILTER (WHERE d.day < w.from_day OR d.day > w.to_day) AS days,
         CAST(COALESCE(SUM(CAST(d.off AS DECIMAL(30, 12))) FILTER (WHERE d.day < w.from_day OR d.day > w.to_day), 0) AS DOUBLE) AS off,
         CAST(COALESCE(SUM(CAST(d.v AS DECIMAL(30, 12))) FILTER (WHERE d.day < w.from_day OR d.day > w.to_day), 0) AS DOUBLE) AS v,
         CAST(COALESCE(SUM(CAST(d.off * d.off / d.v AS DECIMAL(30, 12))) FILTER (WHERE d.day < w.from_day OR d.day > w.to_day), 0) AS DOUBLE) AS squares,
         CAST(COALESCE(SUM(CAST(d.usual AS DECIMAL(30, 12))) FILTER (WHERE d.day < w.from_day OR d.day > w.to_day), 0) AS DOUBLE) AS usual,
         CAST(COALESCE(SUM(CAST(d.v AS DECIMAL(30, 12))) FILTER (WHERE d.day >= w.from_day AND d.day <= w.to_day), 0) AS DOUBLE) AS own_v
  FROM windows w
  JOIN days d ON d.shop = w.shop
  GROUP BY w.shop, w.from_day, w.to_day, d.weekday
),
-- One after the other, so that sums of fractions do not depend on how the work is split.
sums AS (
  SELECT *, SUM(CASE WHEN days > 0 THEN 1 ELSE 0 END) OVER week AS kinds, SUM(days) OVER week AS counted, SUM(off) OVER week AS all_off, SUM(v) OVER week AS all_v,
         SUM(squares) OVER week AS all_squares, SUM(usual) OVER week AS all_usual, SUM(CASE WHEN days > 0 THEN off * off / v ELSE 0.0 END) OVER week AS of_kinds
  FROM weekdays
  WINDOW week AS (PARTITION BY shop, from_day, to_day ORDER BY weekday ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
-- Each weekday's mean is drawn to the mean of all by as much as chance makes weekdays differ.
kept AS (
  SELECT *, CASE WHEN counted >= 14 AND kinds > 1 AND of_kinds - all_off * all_off / all_v > 0
                 THEN GREATEST(0.0, 1 - GREATEST(all_squares - of_kinds, 0.0) / (counted - kinds) * (kinds - 1) / (of_kinds - all_off * all_off / all_v)) ELSE 0.0 END AS kept
  FROM sums
),
rhythms AS (
  SELECT *, CASE WHEN days > 0 THEN kept * (off / v - all_off / all_v) ELSE 0.0 END AS rhythm FROM kept
),
windowed AS (
  SELECT *, SUM(rhythm * (rhythm * v - 2 * off)) OVER week AS less, SUM(rhythm * own_v) OVER week AS rhythm_e,
         ROW_NUMBER() OVER (PARTITION BY shop, from_day, to_day ORDER BY weekday) AS place
  FROM rhythms
  WINDOW week AS (PARTITION BY shop, from_day, to_day ORDER BY weekday ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT shop, from_day, to_day, rhythm_e,
       -- Days move as one: of twice as much shown, twice as much of what is beyond chance.
       CASE WHEN counted - 1 - kept * (kinds - 1) > 0
            THEN GREATEST(1.0, 1 + ((all_squares + less) / (counted - 1 - kept * (kinds - 1)) - 1) * counted / all_usual) ELSE 1.0 END AS phi
FROM windowed
WHERE place = 1
