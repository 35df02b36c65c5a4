/*---
name: changed_strata
description: The strata of customers and articles in each segment whose clicks have clearly changed, and on which days.
key: [segment_column, segment_value, customer_stratum, article_stratum]
kept: false
---*/
SELECT DISTINCT f.segment_column, f.segment_value, f.since, f.counted_until, o.customer_stratum, o.article_stratum
FROM monitoring.findings f
JOIN monitoring.segments s ON s.segment_column = f.segment_column AND s.segment_value = f.segment_value
JOIN monitoring.outcomes o ON o.profile = s.profile
WHERE f.metric = 'click' AND f.state = 'clear'
