/*---
name: outcomes
description: What had come of each recommendation by $as_of; an outcome is confirmed once nothing can change it, pending before.
key: [recommendation_id]
---*/
WITH seen AS (
  SELECT r.recommendation_id, r.recommended_at, r.shown_on, r.customer_id, r.product_id, r.season, r.position, r.model_version,
         CASE WHEN r.clicked_at < $as_of THEN r.clicked_at END AS clicked_at,
         CASE WHEN r.purchased_at < $as_of THEN r.purchased_at END AS purchased_at,
         CASE WHEN r.returned_at < $as_of AND r.returned_at <= r.purchased_at + $return_window THEN r.returned_at END AS returned_at,
         -- When something was dismissed is not written down: only a report as of the export can know of it.
         r.dismissed AND $as_of >= $exported_at AS dismissed,
         -- Old enough: whatever was going to happen has happened.  Rates are taken over these alone, bought or not,
         -- for among younger ones only the quick outcomes are known.
         r.recommended_at + $purchase_window < $as_of AS purchase_mature,
         r.recommended_at + $purchase_window + $return_window < $as_of AS kept_mature
  FROM sources.recommendations r
  WHERE r.recommended_at < $as_of AND r.recommended_at >= $as_of - $looks_back
),
told AS (
  SELECT s.*,
         s.purchased_at IS NOT NULL AND s.returned_at IS NULL AND s.purchased_at + $return_window < $as_of AS kept,
         s.purchased_at IS NULL AND (s.dismissed OR s.purchase_mature) AS never_bought
  FROM seen s
)
SELECT t.recommendation_id, t.recommended_at, t.shown_on, t.customer_id, t.product_id, t.season, t.position, t.model_version,
       concat_ws(' / ', c.profile, a.profile) AS profile,
       t.clicked_at, t.purchased_at, t.returned_at, t.dismissed, t.purchase_mature, t.kept_mature,
       t.clicked_at IS NOT NULL AS clicked,
       'confirmed' AS click_truth,
       t.purchased_at IS NOT NULL AS purchased,
       CASE WHEN t.purchased_at IS NOT NULL OR t.never_bought THEN 'confirmed' ELSE 'pending' END AS purchase_truth,
       t.kept,
       CASE WHEN t.kept OR t.returned_at IS NOT NULL OR t.never_bought THEN 'confirmed' ELSE 'pending' END AS kept_truth
FROM told t
LEFT JOIN monitoring.customer_profiles c ON c.customer_id = t.customer_id
LEFT JOIN monitoring.article_profiles a ON a.product_id = t.product_id AND a.season = t.season
