/*---
name: periods
description: Where training ends and testing begins, by shares of the looks in the order of time; one row.
key: [validation_from]
---*/
-- A day begins where the look that passes the share falls into it, so days need counting, not looks sorting.
WITH days AS (
  SELECT date_trunc('day', event_time) AS day, COUNT(*) AS looks, MAX(event_time) AS last_look
  FROM sources.transactions
  WHERE event_type = 'browse' AND consented
  GROUP BY date_trunc('day', event_time)
),
counted AS (SELECT day, last_look, SUM(looks) OVER (ORDER BY day) AS looks_so_far, SUM(looks) OVER () AS looks FROM days)
SELECT MIN(day) FILTER (WHERE looks_so_far > looks * $train_share) AS validation_from,
       MIN(day) FILTER (WHERE looks_so_far > looks * ($train_share + $validation_share)) AS test_from,
       -- Purchases after the last look may be missing from the file, so nothing after it is known.
       MAX(last_look) AS observed_until
FROM counted
