/*---
name: segments
description: The segments that the recommendations of a profile belong to, the whole shop among them.
key: [profile, segment_column, segment_value]
---*/
WITH first_of_profile AS (
  SELECT profile, MIN(recommendation_id) AS recommendation_id FROM monitoring.outcomes GROUP BY profile
),
examples AS (
  SELECT f.profile, o.customer_id, o.product_id, o.season
  FROM first_of_profile f JOIN monitoring.outcomes o ON o.recommendation_id = f.recommendation_id
),
traits AS (
  SELECT e.profile, t.segment_column, t.segment_value
  FROM examples e JOIN monitoring.customer_traits t ON t.customer_id = e.customer_id
  UNION ALL
  SELECT e.profile, t.segment_column, t.segment_value
  FROM examples e JOIN monitoring.article_traits t ON t.product_id = e.product_id AND t.season = e.season
)
SELECT profile, 'shop' AS segment_column, 'all' AS segment_value FROM examples
UNION ALL
SELECT t.profile, c.segment_column, t.segment_value
FROM monitoring.segment_columns c
JOIN traits t ON t.segment_column = c.first_column
WHERE c.second_column IS NULL
UNION ALL
SELECT a.profile, c.segment_column, concat(a.segment_value, ' and ', b.segment_value) AS segment_value
FROM monitoring.segment_columns c
JOIN traits a ON a.segment_column = c.first_column
JOIN traits b ON b.segment_column = c.second_column AND b.profile = a.profile
