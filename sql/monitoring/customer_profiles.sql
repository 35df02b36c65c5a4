/*---
name: customer_profiles
description: Each customer's values in the segment columns as one text, so that customers who are alike in all of them share it.
key: [customer_id]
---*/
SELECT customer_id, string_agg(segment_value, ' / ' ORDER BY segment_column) AS profile
FROM monitoring.customer_traits
GROUP BY customer_id
