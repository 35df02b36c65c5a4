/*---
name: where_to_look
description: Clicks in each changed segment before and since, by what else could have changed - the model, the place in the list, who sends it, the kind of article.
key: [segment_column, segment_value, question, answer]
---*/
WITH shown AS (
  SELECT o.profile, o.shown_on, o.clicked, o.model_version, o.position, p.fulfilment, p.category
  FROM monitoring.outcomes o
  LEFT JOIN sources.products p ON p.product_id = o.product_id AND p.season = o.season
),
questions AS (
  SELECT 'model' AS question, model_version AS answer, profile, shown_on, clicked FROM shown
  UNION ALL
  SELECT 'place in the list', CASE WHEN position <= 3 THEN 'places 1 to 3' ELSE 'place 4 and below' END, profile, shown_on, clicked FROM shown
  UNION ALL
  SELECT 'sender', COALESCE(fulfilment, 'not given'), profile, shown_on, clicked FROM shown
  UNION ALL
  SELECT 'kind of article', COALESCE(category, 'not given'), profile, shown_on, clicked FROM shown
),
sides AS (
  SELECT f.segment_column, f.segment_value, q.question, q.answer, q.clicked, q.shown_on >= f.since AS is_after
  FROM monitoring.findings f
  JOIN monitoring.segments s ON s.segment_column = f.segment_column AND s.segment_value = f.segment_value
  JOIN questions q ON q.profile = s.profile
  JOIN monitoring.days d ON d.shown_on = q.shown_on
  WHERE f.metric = 'click' AND f.state = 'clear' AND (q.shown_on >= f.since AND q.shown_on <= f.counted_until OR d.period = 'reference')
)
SELECT segment_column, segment_value, question, answer,
       -- Only what was shown often enough is worth a word.
       COUNT(*) FILTER (WHERE NOT is_after) >= $enough AND COUNT(*) FILTER (WHERE is_after) >= $enough AS enough,
       COUNT(*) FILTER (WHERE NOT is_after) AS before_n, COUNT(*) FILTER (WHERE NOT is_after AND clicked) AS before_x,
       COUNT(*) FILTER (WHERE is_after) AS after_n, COUNT(*) FILTER (WHERE is_after AND clicked) AS after_x,
       CAST(COUNT(*) FILTER (WHERE NOT is_after AND clicked) AS DOUBLE) / NULLIF(COUNT(*) FILTER (WHERE NOT is_after), 0) AS before,
       CAST(COUNT(*) FILTER (WHERE is_after AND clicked) AS DOUBLE) / NULLIF(COUNT(*) FILTER (WHERE is_after), 0) AS after
FROM sides
GROUP BY segment_column, segment_value, question, answer
