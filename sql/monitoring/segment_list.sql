/*---
name: segment_list
description: Every segment there is, those to whom nothing was shown included.
key: [segment_column, segment_value]
---*/
SELECT 'shop' AS segment_column, 'all' AS segment_value
UNION
SELECT k.segment_column, k.segment_value
FROM monitoring.attributes k JOIN monitoring.segment_columns c ON c.first_column = k.segment_column AND c.second_column IS NULL
UNION
SELECT segment_column, segment_value FROM monitoring.segments
