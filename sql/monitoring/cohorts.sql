/*---
name: cohorts
description: Counts of recommendations by day and profile for each thing a customer can do; everything after this reads counts.
key: [metric, profile, shown_on]
---*/
WITH told AS (
  SELECT 'click' AS metric, profile, shown_on, true AS mature, clicked AS yes, click_truth AS truth FROM monitoring.outcomes
  UNION ALL
  SELECT 'purchase', profile, shown_on, purchase_mature, purchased, purchase_truth FROM monitoring.outcomes
  UNION ALL
  SELECT 'kept', profile, shown_on, kept_mature, kept, kept_truth FROM monitoring.outcomes
)
SELECT metric, profile, shown_on,
       COUNT(*) AS shown,
       COUNT(*) FILTER (WHERE mature) AS mature,
       COUNT(*) FILTER (WHERE mature AND yes) AS mature_yes,
       COUNT(*) FILTER (WHERE truth = 'confirmed') AS confirmed,
       COUNT(*) FILTER (WHERE truth = 'confirmed' AND yes) AS confirmed_yes
FROM told
GROUP BY metric, profile, shown_on
