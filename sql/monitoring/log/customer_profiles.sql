/*---
name: customer_profiles
description: Each customer's values in the segment columns as one text, numbered, so that customers who are alike in all of them count as one kind.
key: [customer_id]
---*/
SELECT customer_id, profile, CAST(DENSE_RANK() OVER (ORDER BY profile) AS BIGINT) AS kind
FROM (
  SELECT customer_id, string_agg(segment_value, ' / ' ORDER BY segment_column) AS profile
  FROM monitoring.customer_traits
  GROUP BY customer_id
)
