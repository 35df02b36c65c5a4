/*---
name: segments
description: The segments that the recommendations of a profile belong to, the whole shop among them.
key: [profile, segment_column, segment_value]
---*/
WITH profiles AS (SELECT DISTINCT profile, customer_stratum, article_stratum FROM monitoring.outcomes),
attributes AS (
  SELECT p.profile, t.segment_column, t.segment_value FROM profiles p JOIN monitoring.attributes t ON t.owner = 'customers' AND t.stratum = p.customer_stratum
  UNION ALL
  SELECT p.profile, t.segment_column, t.segment_value FROM profiles p JOIN monitoring.attributes t ON t.owner = 'articles' AND t.stratum = p.article_stratum
)
SELECT profile, 'shop' AS segment_column, 'all' AS segment_value FROM profiles
UNION ALL
SELECT t.profile, c.segment_column, t.segment_value
FROM monitoring.segment_columns c
JOIN attributes t ON t.segment_column = c.first_column
WHERE c.second_column IS NULL
UNION ALL
SELECT a.profile, c.segment_column, concat(a.segment_value, ' and ', b.segment_value) AS segment_value
FROM monitoring.segment_columns c
JOIN attributes a ON a.segment_column = c.first_column
JOIN attributes b ON b.segment_column = c.second_column AND b.profile = a.profile
