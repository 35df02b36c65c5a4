/*---
name: metrics
description: What a customer can do with a recommendation, and how many days pass until it is known.
key: [metric]
---*/
WITH ends AS (
  SELECT TIMESTAMP '2000-01-01T00:00:00' AS shown, TIMESTAMP '2000-01-01T00:00:00' + $purchase_window AS bought,
         TIMESTAMP '2000-01-01T00:00:00' + $purchase_window + $return_window AS kept
)
SELECT 'click' AS metric, 0 AS days_until_known
UNION ALL
SELECT 'purchase', CAST(CAST(bought AS DATE) AS INT) - CAST(CAST(shown AS DATE) AS INT) FROM ends
UNION ALL
SELECT 'kept', CAST(CAST(kept AS DATE) AS INT) - CAST(CAST(shown AS DATE) AS INT) FROM ends
