/*---
name: description_changes
description: Whether the descriptions of what is shown lie further from those of earlier days than those days lie from each other, and whether the catalogue's do.
key: [against]
---*/
WITH sides AS (
  SELECT against, side, COUNT(likeness) AS days, SUM(shown) AS shown, CAST(SUM(CAST(likeness AS DECIMAL(20, 12))) AS DOUBLE) / COUNT(likeness) AS likeness
  FROM monitoring.description_days
  WHERE likeness IS NOT NULL
  GROUP BY against, side
),
spread AS (
  SELECT s.against, s.side, CAST(SUM(CAST(power(d.likeness - s.likeness, 2) AS DECIMAL(20, 15))) AS DOUBLE) / NULLIF((s.days - 1.0) * s.days, 0.0) AS variance
  FROM sides s JOIN monitoring.description_days d ON d.against = s.against AND d.side = s.side AND d.likeness IS NOT NULL
  GROUP BY s.against, s.side, s.days
),
stock AS (
  SELECT p.on_sale_from, p.on_sale_until, vector_mean(e.reduced, 1) AS centre, COUNT(e.reduced) AS articles
  FROM sources.products p JOIN embeddings.products e ON e.product_id = p.product_id AND e.season = p.season
  WHERE e.reduced IS NOT NULL
  GROUP BY p.on_sale_from, p.on_sale_until
),
on_sale AS (
  SELECT s.span, vector_mean(k.centre, CAST(k.articles AS DOUBLE)) AS centre
  FROM monitoring.shown_spans s JOIN stock k ON k.on_sale_from <= s.shown_on AND k.on_sale_until >= s.shown_on
  GROUP BY s.span
),
pairs AS (
  SELECT w.against, b.days AS before_days, w.days AS after_days, b.shown AS before_shown, w.shown AS after_shown, b.likeness AS before, w.likeness AS after,
         cosine_similarity(x.centre, y.centre) AS catalogue, sqrt(vw.variance + vb.variance) AS error, LEAST(w.days, b.days) - 1.0 AS freedom
  FROM sides w
  JOIN sides b ON b.against = w.against AND b.side = 'before'
  JOIN spread vw ON vw.against = w.against AND vw.side = 'watched'
  JOIN spread vb ON vb.against = w.against AND vb.side = 'before'
  LEFT JOIN on_sale x ON x.span = 'watched'
  LEFT JOIN on_sale y ON y.span = w.against
  WHERE w.side = 'watched'
)
SELECT against, before_days, after_days, before_shown, after_shown, before, after, catalogue, error,
       CASE WHEN before_days < $shown_days OR after_days < $shown_days THEN 'too_early'
            -- One time in a hundred by chance, with Student's t for few days.
            WHEN before - after > error * (2.326 + 3.729 / freedom + 5.720 / (freedom * freedom)) THEN 'moved'
            ELSE 'no_change' END AS state
FROM pairs
