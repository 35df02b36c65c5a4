/*---
name: scan_members
description: Whose recommendations each series counts - without the customers of segments that have been told already, for the metrics that are looked at again.
key: [series, profile]
---*/
WITH explained AS (
  SELECT DISTINCT t.metric, s.profile
  FROM monitoring.taken_out t
  JOIN monitoring.segments s ON s.segment_column = t.segment_column AND s.segment_value = t.segment_value
)
SELECT r.series, u.profile, u.metric, u.rate
FROM monitoring.usual_rates u
JOIN monitoring.looked_at l ON l.metric = u.metric
JOIN monitoring.segments s ON s.profile = u.profile
JOIN monitoring.series r ON r.metric = u.metric AND r.segment_column = s.segment_column AND r.segment_value = s.segment_value
LEFT JOIN explained e ON e.metric = u.metric AND e.profile = u.profile
WHERE e.profile IS NULL
