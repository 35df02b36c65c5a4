/*---
name: scan_phi
description: How much more the days vary than chance alone, over the reference days; one figure for all segments, one for the whole shop.
key: [metric, run, is_shop]
---*/
-- Sums of fractions run along a fixed order, so that they do not depend on how the work is split.
WITH running AS (
  SELECT metric, run, is_shop, segment_column, segment_value, day,
         SUM((x - e) * (x - e) / d) OVER (PARTITION BY metric, run, segment_column, segment_value ORDER BY day
                                          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS spread,
         COUNT(*) OVER (PARTITION BY metric, run, segment_column, segment_value) AS days,
         LEAD(day) OVER (PARTITION BY metric, run, segment_column, segment_value ORDER BY day) AS next_day
  FROM monitoring.scan_expected
  WHERE is_reference AND d > 0
),
segments AS (
  SELECT metric, run, is_shop, segment_column, segment_value, GREATEST(1.0, spread / (days - 1)) AS phi
  FROM running WHERE next_day IS NULL AND days > 1
),
means AS (
  SELECT metric, run, is_shop,
         AVG(phi) OVER (PARTITION BY metric, run, is_shop ORDER BY segment_column, segment_value
                        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS phi,
         COUNT(*) OVER (PARTITION BY metric, run, is_shop) AS segments,
         ROW_NUMBER() OVER (PARTITION BY metric, run, is_shop ORDER BY segment_column, segment_value) AS nth
  FROM segments
)
SELECT metric, run, is_shop, phi, segments FROM means WHERE nth = segments
