/*---
name: shop_daily_counts
description: The same counts for the whole shop, all profiles as one; past forecasts are made again from these.
key: [number]
---*/
SELECT CAST(ROW_NUMBER() OVER (ORDER BY shown_by, shown_on, clicked_by, purchased_by, purchase_delay, returned_by, return_delay, dismissed) AS BIGINT) AS number,
       'everyone' AS profile, 0 AS customer_stratum, 0 AS article_stratum, *
FROM (
  SELECT shown_on, shown_by, clicked_by, purchased_by, purchase_delay, returned_by, return_delay, dismissed, SUM(shown) AS shown
  FROM monitoring.daily_counts
  GROUP BY shown_on, shown_by, clicked_by, purchased_by, purchase_delay, returned_by, return_delay, dismissed
)
