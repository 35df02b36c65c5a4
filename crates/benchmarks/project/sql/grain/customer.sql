/*---
name: customer
description: A customer at a moment.
key: [customer_id, as_of]
---*/
SELECT DISTINCT customer_id, as_of FROM sources.moments
