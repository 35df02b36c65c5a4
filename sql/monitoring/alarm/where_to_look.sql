/*---
name: where_to_look
description: Clicks in each changed segment before and since, by what else could have changed - the model, the place in the list, who sends it, the kind of article.
key: [segment_column, segment_value, question, answer]
---*/
WITH rows AS (
  SELECT w.segment_column, w.segment_value, w.stratum, r.shown_on >= w.since AS is_after, r.model_version, r.position <= 3 AS is_high, r.product_id, r.season,
         r.clicked_at IS NOT NULL AND r.clicked_at < $as_of AS clicked
  FROM sources.recommendations r
  JOIN monitoring.changed_customers w ON w.customer_id = r.customer_id
  JOIN monitoring.days d ON d.shown_on = r.shown_on
  WHERE r.recommended_at < $as_of AND r.recommended_at >= $as_of - $looks_back
    AND (r.shown_on >= w.since AND r.shown_on <= w.counted_until OR d.period = 'reference')
),
counted AS (
  SELECT segment_column, segment_value, stratum, is_after, model_version, is_high, product_id, season, clicked, COUNT(*) AS shown
  FROM rows
  GROUP BY segment_column, segment_value, stratum, is_after, model_version, is_high, product_id, season, clicked
),
-- A segment may be one of articles.
shown AS (
  SELECT n.*
  FROM counted n
  LEFT JOIN monitoring.article_strata a ON a.product_id = n.product_id AND a.season = n.season
  JOIN monitoring.changed_strata h ON h.segment_column = n.segment_column AND h.segment_value = n.segment_value
                                 AND h.customer_stratum = n.stratum AND h.article_stratum = COALESCE(a.stratum, 0)
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
