/*---
name: where_to_look
description: Clicks in each changed segment before and since, by what else could have changed - the model, the place in the list, who sends it, the kind of article.
key: [segment_column, segment_value, question, answer]
---*/
WITH changed AS (
  SELECT DISTINCT f.segment_column, f.segment_value, f.since, f.counted_until, o.customer_kind, o.article_kind
  FROM monitoring.findings f
  JOIN monitoring.segments s ON s.segment_column = f.segment_column AND s.segment_value = f.segment_value
  JOIN monitoring.outcomes o ON o.profile = s.profile
  WHERE f.metric = 'click' AND f.state = 'clear'
),
rows AS (
  SELECT h.segment_column, h.segment_value, r.shown_on >= h.since AS is_after, r.model_version, r.position <= 3 AS is_high, r.product_id, r.season,
         r.clicked_at IS NOT NULL AND r.clicked_at < $as_of AS clicked
  FROM sources.recommendations r
  JOIN monitoring.customer_profiles c ON c.customer_id = r.customer_id
  LEFT JOIN monitoring.article_profiles a ON a.product_id = r.product_id AND a.season = r.season
  JOIN changed h ON h.customer_kind = c.kind AND h.article_kind = COALESCE(a.kind, 0)
  JOIN monitoring.days d ON d.shown_on = r.shown_on
  WHERE r.recommended_at < $as_of AND r.recommended_at >= $as_of - $looks_back
    AND (r.shown_on >= h.since AND r.shown_on <= h.counted_until OR d.period = 'reference')
),
shown AS (
  SELECT segment_column, segment_value, is_after, model_version, is_high, product_id, season, clicked, COUNT(*) AS shown
  FROM rows
  GROUP BY segment_column, segment_value, is_after, model_version, is_high, product_id, season, clicked
),
described AS (
  SELECT s.*, p.fulfilment, p.category FROM shown s LEFT JOIN sources.products p ON p.product_id = s.product_id AND p.season = s.season
),
questions AS (
  SELECT 'model' AS question, model_version AS answer, segment_column, segment_value, is_after, clicked, shown FROM described
  UNION ALL
  SELECT 'place in the list', CASE WHEN is_high THEN 'places 1 to 3' ELSE 'place 4 and below' END, segment_column, segment_value, is_after, clicked, shown FROM described
  UNION ALL
  SELECT 'sender', COALESCE(fulfilment, 'not given'), segment_column, segment_value, is_after, clicked, shown FROM described
  UNION ALL
  SELECT 'kind of article', COALESCE(category, 'not given'), segment_column, segment_value, is_after, clicked, shown FROM described
),
sides AS (
  SELECT segment_column, segment_value, question, answer,
         COALESCE(SUM(shown) FILTER (WHERE NOT is_after), 0) AS before_n, COALESCE(SUM(shown) FILTER (WHERE NOT is_after AND clicked), 0) AS before_x,
         COALESCE(SUM(shown) FILTER (WHERE is_after), 0) AS after_n, COALESCE(SUM(shown) FILTER (WHERE is_after AND clicked), 0) AS after_x
  FROM questions
  GROUP BY segment_column, segment_value, question, answer
)
SELECT segment_column, segment_value, question, answer,
       -- Only what was shown often enough is worth a word.
       before_n >= $enough AND after_n >= $enough AS enough,
       before_n, before_x, after_n, after_x,
       CAST(before_x AS DOUBLE) / NULLIF(before_n, 0) AS before, CAST(after_x AS DOUBLE) / NULLIF(after_n, 0) AS after
FROM sides
