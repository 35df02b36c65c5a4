/*---
name: mix_rate
description: Each segment's part in a total's change between the reference days and those watched (Kitagawa) - being shown more or less often (mix), doing more or less (rate).
key: [metric, segment_column, segment_value]
---*/
WITH sides AS (
  SELECT metric, segment_column, segment_value,
         COALESCE(SUM(mature) FILTER (WHERE period = 'reference'), 0) AS before_n,
         COALESCE(SUM(mature_yes) FILTER (WHERE period = 'reference'), 0) AS before_x,
         COALESCE(SUM(mature) FILTER (WHERE period = 'watched'), 0) AS after_n,
         COALESCE(SUM(mature_yes) FILTER (WHERE period = 'watched'), 0) AS after_x
  FROM monitoring.periods
  WHERE segment_column <> 'shop'
  GROUP BY metric, segment_column, segment_value
),
shares AS (
  SELECT *,
         CAST(before_n AS DOUBLE) / NULLIF(SUM(before_n) OVER total, 0) AS before_share,
         CAST(after_n AS DOUBLE) / NULLIF(SUM(after_n) OVER total, 0) AS after_share,
         CAST(before_x AS DOUBLE) / NULLIF(before_n, 0) AS before_rate,
         CAST(after_x AS DOUBLE) / NULLIF(after_n, 0) AS after_rate
  FROM sides
  WINDOW total AS (PARTITION BY metric, segment_column)
)
SELECT metric, segment_column, segment_value, before_n, before_x, after_n, after_x, before_share, after_share, before_rate, after_rate,
       -- Who was there on one side only has no second rate: it comes or goes whole, and all of that is mix.
       (after_share - before_share) * (COALESCE(before_rate, after_rate) + COALESCE(after_rate, before_rate)) / 2 AS mix_part,
       COALESCE((before_share + after_share) / 2 * (after_rate - before_rate), 0.0) AS rate_part
FROM shares
WHERE before_share IS NOT NULL AND after_share IS NOT NULL AND (before_n > 0 OR after_n > 0)
