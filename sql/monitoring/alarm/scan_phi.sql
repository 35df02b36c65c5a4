/*---
name: scan_phi
description: How much more the days vary than chance alone, over the reference days; one figure for a metric's segments, one for its whole shop.
key: [shop, is_shop]
---*/
-- Sums of fractions run along a fixed order, so that they do not depend on how the work is split.
WITH running AS (
  SELECT series, shop, is_shop, day, used,
         SUM((x - e) * (x - e) / d) OVER days AS spread,
         COUNT(*) OVER (PARTITION BY series) AS days, MAX(used) OVER (PARTITION BY series) AS most_used,
         ROW_NUMBER() OVER days AS nth
  FROM monitoring.scan_expected
  WHERE is_reference AND d > 0
  WINDOW days AS (PARTITION BY series ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
series AS (
  SELECT shop, is_shop, series, GREATEST(1.0, spread / (days - 1 - most_used)) AS phi
  FROM running
  WHERE nth = days AND days - 1 - most_used > 0
),
means AS (
  SELECT shop, is_shop,
         AVG(phi) OVER (PARTITION BY shop, is_shop ORDER BY series ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS phi,
         COUNT(*) OVER (PARTITION BY shop, is_shop) AS counted,
         ROW_NUMBER() OVER (PARTITION BY shop, is_shop ORDER BY series) AS nth
  FROM series
)
SELECT shop, is_shop, phi FROM means WHERE nth = counted
