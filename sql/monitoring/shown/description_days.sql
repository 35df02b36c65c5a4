/*---
name: description_days
description: How near the mean description vector of each day's recommendations lies to that of all other days of a span - of the span's own days, and of those watched.
key: [against, side, shown_on]
---*/
WITH spans AS (SELECT DISTINCT span FROM monitoring.shown_spans WHERE span <> 'watched'),
days AS (
  SELECT s.span, s.shown_on, vector_mean(e.reduced, CAST(a.shown AS DOUBLE)) AS centre, SUM(a.shown) AS shown
  FROM monitoring.shown_spans s
  JOIN monitoring.article_days a ON a.shown_on = s.shown_on
  JOIN embeddings.products e ON e.product_id = a.product_id AND e.season = a.season
  WHERE e.reduced IS NOT NULL
  GROUP BY s.span, s.shown_on
),
compared AS (
  SELECT p.span AS against, CASE d.span WHEN 'watched' THEN 'watched' ELSE 'before' END AS side, d.shown_on, d.shown, d.centre
  FROM spans p JOIN days d ON d.span = p.span OR d.span = 'watched'
),
usual AS (
  SELECT c.against, c.side, c.shown_on, vector_mean(o.centre, CAST(o.shown AS DOUBLE)) AS centre
  FROM compared c
  JOIN days o ON o.span = c.against AND o.shown_on <> c.shown_on
  GROUP BY c.against, c.side, c.shown_on
)
SELECT c.against, c.side, c.shown_on, c.shown, cosine_similarity(c.centre, u.centre) AS likeness
FROM compared c
JOIN usual u ON u.against = c.against AND u.side = c.side AND u.shown_on = c.shown_on
