/*---
name: article_days
description: How often each article was shown on each day of the log, and how much it was seen - place 1 counts most.
key: [product_id, season, shown_on]
---*/
WITH places AS (
  SELECT product_id, season, shown_on, position, COUNT(*) AS shown
  FROM sources.recommendations
  WHERE recommended_at < $as_of
  GROUP BY product_id, season, shown_on, position
),
weights AS (
  SELECT *, CAST(1 / log2(1.0 + position) AS DECIMAL(20, 12)) AS weight,
         CAST(1 / (log2(1.0 + position) * log2(1.0 + position)) AS DECIMAL(20, 12)) AS square
  FROM places
)
SELECT product_id, season, shown_on, SUM(shown) AS shown,
       CAST(SUM(shown * weight) AS DECIMAL(30, 12)) AS exposure, CAST(SUM(shown * square) AS DECIMAL(30, 12)) AS squares
FROM weights
GROUP BY product_id, season, shown_on
