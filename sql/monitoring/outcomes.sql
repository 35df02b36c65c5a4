/*---
name: outcomes
description: What had come of recommendations by $as_of; an outcome is confirmed once nothing can change it, pending before.
key: [number]
kept: false
---*/
WITH seen AS (
  SELECT t.number, t.profile, t.customer_stratum, t.article_stratum, t.shown_on, t.shown_by, t.purchase_delay, t.return_delay, t.shown,
         COALESCE(t.clicked_by <= $as_of, false) AS clicked,
         -- Full days until the click; within the first it is 0.
         CASE WHEN t.clicked_by <= $as_of THEN CAST(date_part('epoch', t.clicked_by) - date_part('epoch', t.shown_by) AS BIGINT) / 86400 END AS click_after,
         CASE WHEN t.purchased_by <= $as_of THEN t.purchased_by END AS purchased_by,
         CASE WHEN t.returned_by <= $as_of THEN t.returned_by END AS returned_by,
         -- When something was dismissed is not written down: only a report as of the export can know of it.
         t.dismissed AND $as_of >= $exported_at AS dismissed,
         -- Old enough: whatever was going to happen has happened.  Rates are taken over these alone, bought or not,
         -- for among younger ones only the quick outcomes are known.
         t.shown_by + $purchase_window <= $as_of AS purchase_mature,
         t.shown_by + $purchase_window + $return_window <= $as_of AS kept_mature
  FROM monitoring.daily_counts t
  WHERE t.shown_by <= $as_of AND t.shown_by > $as_of - $looks_back
),
told AS (
  SELECT s.*,
         s.purchased_by IS NOT NULL AND s.returned_by IS NULL AND s.purchased_by + $return_window <= $as_of AS kept,
         s.purchased_by IS NULL AND (s.dismissed OR s.purchase_mature) AS never_bought
  FROM seen s
)
SELECT t.number, t.profile, t.customer_stratum, t.article_stratum, t.shown_on, t.shown_by, t.shown, t.clicked, t.click_after,
       'confirmed' AS click_truth,
       t.purchased_by IS NOT NULL AS purchased, t.purchased_by, t.purchase_delay, t.purchase_mature,
       CASE WHEN t.purchased_by IS NOT NULL OR t.never_bought THEN 'confirmed' ELSE 'pending' END AS purchase_truth,
       t.kept, t.returned_by, t.return_delay, t.kept_mature,
       CASE WHEN t.kept OR t.returned_by IS NOT NULL OR t.never_bought THEN 'confirmed' ELSE 'pending' END AS kept_truth
FROM told t
