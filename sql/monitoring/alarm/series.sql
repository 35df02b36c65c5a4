/*---
name: series
description: Every metric of every segment that anything was shown to, numbered, so that the scan compares numbers and not names.
key: [series]
---*/
SELECT CAST(ROW_NUMBER() OVER (ORDER BY metric, segment_column, segment_value) AS BIGINT) AS series,
       metric, segment_column, segment_value, segment_column = 'shop' AS is_shop
FROM (
  SELECT DISTINCT c.metric, s.segment_column, s.segment_value
  FROM (SELECT DISTINCT metric, profile FROM monitoring.cohorts) c
  JOIN monitoring.segments s ON s.profile = c.profile
)
