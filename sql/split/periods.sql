/*---
name: periods
description: Where training ends and testing begins, by shares of the looks in the order of time; one row.
key: [validation_from]
---*/
WITH looks AS (
  SELECT event_time,
         ROW_NUMBER() OVER (ORDER BY event_time, transaction_id) AS nth,
         COUNT(*) OVER () AS total
  FROM sources.transactions
  WHERE event_type = 'browse'
)
SELECT date_trunc('day', MIN(event_time) FILTER (WHERE nth > total * $train_share)) AS validation_from,
       date_trunc('day', MIN(event_time) FILTER (WHERE nth > total * ($train_share + $validation_share))) AS test_from,
       -- Purchases after the last look may be missing from the file, so nothing after it is known.
       MAX(event_time) AS observed_until
FROM looks
