/*---
name: changed_kinds
description: The kinds of customers and articles in each segment whose clicks have clearly changed, and on which days.
key: [segment_column, segment_value, customer_kind, article_kind]
kept: false
---*/
SELECT DISTINCT f.segment_column, f.segment_value, f.since, f.counted_until, o.customer_kind, o.article_kind
FROM monitoring.findings f
JOIN monitoring.segments s ON s.segment_column = f.segment_column AND s.segment_value = f.segment_value
JOIN monitoring.outcomes o ON o.profile = s.profile
WHERE f.metric = 'click' AND f.state = 'clear'
