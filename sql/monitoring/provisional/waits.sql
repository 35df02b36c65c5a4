/*---
name: waits
description: For how long recommendations and purchases have been waiting, in full days, and after how many what they wait for came.
key: [stage, number]
kept: false
---*/
WITH spans AS (
  SELECT 'purchase' AS stage, number, profile, shown_on, shown AS waits, shown_by, shown_by AS begins_by, shown_by + $purchase_window AS closes_by,
         CASE WHEN purchased THEN purchase_delay END AS delay, purchase_delay, click_after
  FROM monitoring.outcomes
  UNION ALL
  SELECT 'return', number, profile, shown_on, shown, shown_by, purchased_by, purchased_by + $return_window,
         CASE WHEN returned_by IS NOT NULL THEN return_delay END, purchase_delay, NULL
  FROM monitoring.outcomes WHERE purchased
),
days AS (
  SELECT *, CAST(date_part('epoch', $as_of) - date_part('epoch', begins_by) AS BIGINT) / 86400 AS age,
         CAST(date_part('epoch', $as_of) - date_part('epoch', shown_by) AS BIGINT) / 86400 AS shown_age,
         CAST(date_part('epoch', closes_by) - date_part('epoch', begins_by) AS BIGINT) / 86400 AS window_days
  FROM spans
)
SELECT stage, number, profile, shown_on, waits, window_days, age, click_after,
       -- At the very end of the window is still its last day.
       CASE WHEN delay IS NOT NULL THEN LEAST(delay, window_days - 1) END AS delay,
       -- Forecasts go by full days: what came since the last full day of waiting ended still counts as open.  Otherwise it
       -- would count twice, once as come and once as expected of that day.
       CASE WHEN stage = 'purchase' THEN COALESCE(delay < age, false) ELSE purchase_delay < shown_age END AS counted
FROM days
