/*---
name: mix_rate_totals
description: A total's change between the reference days and those watched, split into mix and rate by each segment column; reversed where who was shown hides what they did.
key: [metric, segment_column]
---*/
WITH sums AS (
  SELECT metric, segment_column,
         SUM(before_n) AS before_n, SUM(before_x) AS before_x, SUM(after_n) AS after_n, SUM(after_x) AS after_x,
         CAST(SUM(CAST(mix_part AS DECIMAL(30, 15))) AS DOUBLE) AS mix,
         CAST(SUM(CAST(rate_part AS DECIMAL(30, 15))) AS DOUBLE) AS rate
  FROM monitoring.mix_rate
  GROUP BY metric, segment_column
)
SELECT *, CAST(before_x AS DOUBLE) / before_n AS before, CAST(after_x AS DOUBLE) / after_n AS after, mix + rate AS change,
       rate * (mix + rate) < 0 AS reversed
FROM sums
