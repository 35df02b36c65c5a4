/*---
name: periods
description: Where training ends and testing begins, by shares of the looks in the order of time; one row.
key: [validation_from]
---*/
-- A day begins where the look that passes the share falls into it, so days need counting, not looks sorting.
WITH days AS (
  SELECT date_trunc('day', event_time) AS day, COUNT(*) AS looks, MAX(event_time) AS last_look
  FROM sources.transactions
  WHERE stands_for = 'browse' AND consented
  GROUP BY date_trunc('day', event_time)
),
-- Where nobody who consents looked at anything, there is nothing to learn from, and all of it lies before the export.
anybody AS (
  SELECT CASE WHEN COUNT(*) > 0 THEN date_trunc('day', $exported_at) END AS exported
  FROM sources.transactions WHERE stands_for = 'browse'
),
counted AS (SELECT day, last_look, SUM(looks) OVER (ORDER BY day) AS looks_so_far, SUM(looks) OVER () AS looks FROM days)
SELECT COALESCE(MIN(c.day) FILTER (WHERE c.looks_so_far > c.looks * $train_share), MAX(a.exported)) AS validation_from,
       COALESCE(MIN(c.day) FILTER (WHERE c.looks_so_far > c.looks * ($train_share + $validation_share)), MAX(a.exported)) AS test_from,
       -- Purchases after the last look may be missing from the file, so nothing after it is known.
       COALESCE(MAX(c.last_look), MAX(a.exported)) AS observed_until
FROM anybody a
LEFT JOIN counted c ON true
