/*---
name: scan_phi
description: How much more the days vary than chance alone, over the reference days; one figure for a metric's segments, one for its whole shop.
key: [metric, is_shop]
---*/
-- Sums of fractions run along a fixed order, so that they do not depend on how the work is split.
WITH running AS (
  SELECT series, day,
         SUM((x - e) * (x - e) / d) OVER days AS spread,
         COUNT(*) OVER (PARTITION BY series) AS days,
         ROW_NUMBER() OVER days AS nth
  FROM monitoring.scan_expected
  WHERE is_reference AND d > 0
  WINDOW days AS (PARTITION BY series ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
segments AS (
  SELECT s.metric, s.is_shop, r.series, GREATEST(1.0, r.spread / (r.days - 1)) AS phi
  FROM running r JOIN monitoring.series s ON s.series = r.series
  WHERE r.nth = r.days AND r.days > 1
),
means AS (
  SELECT metric, is_shop,
         AVG(phi) OVER (PARTITION BY metric, is_shop ORDER BY series ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS phi,
         COUNT(*) OVER (PARTITION BY metric, is_shop) AS segments,
         ROW_NUMBER() OVER (PARTITION BY metric, is_shop ORDER BY series) AS nth
  FROM segments
)
SELECT metric, is_shop, phi, segments FROM means WHERE nth = segments
