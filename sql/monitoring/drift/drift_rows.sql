/*---
name: drift_rows
description: The looks that the model learned from and those of the last $drift_window, with every feature as the model sees it.
key: [customer_id, product_id, season, as_of]
---*/
WITH latest AS (SELECT MAX(as_of) AS moment FROM frame WHERE as_of < $as_of)
SELECT f.*, CASE WHEN f.split = 'train' THEN 'training' ELSE 'latest' END AS side
FROM frame f
CROSS JOIN latest l
WHERE f.as_of < $as_of AND (f.split = 'train' OR f.as_of > l.moment - $drift_window)
