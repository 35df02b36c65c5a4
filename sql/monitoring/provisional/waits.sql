/*---
name: waits
description: For every recommendation and every purchase, how many full days it has been waiting, and after how many what it waits for came.
key: [stage, recommendation_id]
---*/
WITH spans AS (
  SELECT 'purchase' AS stage, recommendation_id, profile, shown_on, recommended_at AS begins, purchased_at AS ends,
         recommended_at + $purchase_window AS closes, recommended_at
  FROM monitoring.outcomes
  UNION ALL
  SELECT 'return', recommendation_id, profile, shown_on, purchased_at, returned_at, purchased_at + $return_window, recommended_at
  FROM monitoring.outcomes WHERE purchased_at IS NOT NULL
),
seconds AS (
  SELECT stage, recommendation_id, profile, shown_on,
         CAST(date_part('epoch', begins) AS BIGINT) AS begins, CAST(date_part('epoch', ends) AS BIGINT) AS ends,
         CAST(date_part('epoch', closes) AS BIGINT) AS closes, CAST(date_part('epoch', $as_of) AS BIGINT) AS now,
         CAST(date_part('epoch', recommended_at) AS BIGINT) AS shown
  FROM spans
)
SELECT stage, recommendation_id, profile, shown_on,
       (closes - begins) / 86400 AS window_days,
       (now - begins) / 86400 AS age,
       -- At the very end of the window is still its last day.
       CASE WHEN ends IS NOT NULL THEN LEAST((ends - begins) / 86400, (closes - begins) / 86400 - 1) END AS delay,
       -- Forecasts go by full days: what came since the last full day of waiting ended still counts as open.  Otherwise it
       -- would count twice, once as come and once as expected of that day.
       CASE WHEN stage = 'purchase' THEN COALESCE((ends - begins) / 86400 < (now - begins) / 86400, false)
            ELSE (begins - shown) / 86400 < (now - shown) / 86400 END AS counted
FROM seconds
