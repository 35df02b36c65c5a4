/*---
name: scan_phi
description: How much more the segments vary from day to day than chance alone, over the reference days; one figure for all of a metric's.
key: [shop]
---*/
-- Sums of fractions run along a fixed order, so that they do not depend on how the work is split.
WITH running AS (
  SELECT series, shop, day,
         SUM((x - e) * (x - e) / d) OVER days AS spread,
         COUNT(*) OVER (PARTITION BY series) AS days,
         ROW_NUMBER() OVER days AS nth
  FROM monitoring.scan_expected
  WHERE is_reference AND d > 0 AND NOT is_shop
  WINDOW days AS (PARTITION BY series ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
series AS (
  SELECT shop, series, GREATEST(1.0, spread / (days - 1)) AS phi
  FROM running
  WHERE nth = days AND days > 1
),
means AS (
  SELECT shop,
         AVG(phi) OVER (PARTITION BY shop ORDER BY series ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS phi,
         COUNT(*) OVER (PARTITION BY shop) AS counted,
         ROW_NUMBER() OVER (PARTITION BY shop ORDER BY series) AS nth
  FROM series
)
SELECT shop, phi FROM means WHERE nth = counted
