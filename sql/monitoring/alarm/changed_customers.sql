/*---
name: changed_customers
description: The customers who may belong to a segment whose clicks have clearly changed.
key: [customer_id, segment_column, segment_value]
kept: false
---*/
SELECT DISTINCT k.customer_id, k.stratum, h.segment_column, h.segment_value, h.since, h.counted_until
FROM monitoring.customer_strata k
JOIN monitoring.changed_strata h ON h.customer_stratum = k.stratum
