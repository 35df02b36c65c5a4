/*---
name: moments
file: moments.csv
description: When somebody looked.
key: [line]
columns: {customer_id: who, as_of: when}
set_aside: {}
surprises: {}
---*/
SELECT CAST(customer_id AS BIGINT) AS customer_id, CAST(as_of AS TIMESTAMP) AS as_of, line, CAST(NULL AS TEXT) AS set_aside, '' AS surprises FROM raw.moments
