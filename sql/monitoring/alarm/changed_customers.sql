/*---
name: changed_customers
description: The customers who may belong to a segment whose clicks have clearly changed.
key: [customer_id, segment_column, segment_value]
kept: false
---*/
SELECT DISTINCT k.customer_id, k.kind, h.segment_column, h.segment_value, h.since, h.counted_until
FROM monitoring.customer_kinds k
JOIN monitoring.changed_kinds h ON h.customer_kind = k.kind
