/*---
name: weeks
description: What this report says of each week's recommendations in the whole shop - what has come so far, the confirmed rate once all of it is old enough, the provisional one before.
key: [metric, week]
---*/
WITH weekly AS (
  SELECT metric, CAST(date_trunc('week', shown_on) AS DATE) AS week, MIN(shown_on) AS first_day, MAX(shown_on) AS last_day,
         SUM(shown) AS shown, SUM(mature) AS mature, SUM(mature_yes) AS mature_yes, SUM(confirmed) AS confirmed, SUM(confirmed_yes) AS so_far
  FROM monitoring.cohorts
  GROUP BY metric, CAST(date_trunc('week', shown_on) AS DATE)
),
told AS (SELECT *, CASE WHEN mature = shown THEN mature_yes END AS final_yes FROM weekly)
SELECT t.metric, t.week, t.first_day, t.last_day, t.shown, t.confirmed, t.so_far, CAST(t.so_far AS DOUBLE) / t.shown AS so_far_rate,
       CAST(t.final_yes AS DOUBLE) / t.shown AS confirmed_rate,
       wilson_lower(t.final_yes, t.shown) AS confirmed_lower, wilson_upper(t.final_yes, t.shown) AS confirmed_upper,
       n.provisional_rate, n.provisional_lower, n.provisional_upper
FROM told t
LEFT JOIN monitoring.nowcasts n ON n.metric = t.metric AND n.segment_column = 'shop' AND n.span = concat('week of ', CAST(t.week AS VARCHAR))
                               AND t.final_yes IS NULL
