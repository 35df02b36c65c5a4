/*---
name: cohorts
description: Counts of recommendations by day and profile for each thing a customer can do; what is old enough, and what is known.
key: [metric, profile, shown_on]
---*/
WITH told AS (
  SELECT 'click' AS metric, profile, shown_on, shown, true AS mature, clicked AS yes, click_truth AS truth FROM monitoring.outcomes
  UNION ALL
  SELECT 'purchase', profile, shown_on, shown, purchase_mature, purchased, purchase_truth FROM monitoring.outcomes
  UNION ALL
  SELECT 'kept', profile, shown_on, shown, kept_mature, kept, kept_truth FROM monitoring.outcomes
)
SELECT metric, profile, shown_on,
       SUM(shown) AS shown,
       COALESCE(SUM(shown) FILTER (WHERE mature), 0) AS mature,
       COALESCE(SUM(shown) FILTER (WHERE mature AND yes), 0) AS mature_yes,
       COALESCE(SUM(shown) FILTER (WHERE truth = 'confirmed'), 0) AS confirmed,
       COALESCE(SUM(shown) FILTER (WHERE truth = 'confirmed' AND yes), 0) AS confirmed_yes
FROM told
GROUP BY metric, profile, shown_on
