/*---
name: article_profiles
description: Each article's values in the segment columns as one text, numbered; no rows where no segment column describes articles.
key: [product_id, season]
---*/
SELECT product_id, season, profile, CAST(DENSE_RANK() OVER (ORDER BY profile) AS BIGINT) AS kind
FROM (
  SELECT product_id, season, string_agg(segment_value, ' / ' ORDER BY segment_column) AS profile
  FROM monitoring.article_traits
  GROUP BY product_id, season
)
