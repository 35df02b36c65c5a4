/*---
name: arrivals
description: How many rows of each kind came on each day - what was shown, clicked, bought and sent back in the log, and the shop's own events; whether a day is there in whole is read from this.
key: [source, kind, day]
---*/
WITH of_log AS (
  SELECT 'shown' AS kind, shown_by AS known_by, SUM(shown) AS rows FROM monitoring.daily_counts GROUP BY shown_by
  UNION ALL
  SELECT 'click', clicked_by, SUM(shown) FROM monitoring.daily_counts WHERE clicked_by IS NOT NULL GROUP BY clicked_by
  UNION ALL
  SELECT 'purchase', purchased_by, SUM(shown) FROM monitoring.daily_counts WHERE purchased_by IS NOT NULL GROUP BY purchased_by
  UNION ALL
  SELECT 'return', returned_by, SUM(shown) FROM monitoring.daily_counts WHERE returned_by IS NOT NULL GROUP BY returned_by
),
-- Days end at the report's time of day, as they do in the log's counts.
events AS (
  SELECT event_type AS kind, date_bin(INTERVAL '1' DAY, event_time, $as_of) + INTERVAL '1' DAY AS known_by FROM sources.transactions WHERE event_time < $as_of
),
both AS (
  SELECT 'recommendations' AS source, kind, known_by, rows FROM of_log
  UNION ALL
  SELECT 'transactions', kind, known_by, COUNT(*) FROM events GROUP BY kind, known_by
  UNION ALL
  SELECT 'transactions', 'event', known_by, COUNT(*) FROM events GROUP BY known_by
)
SELECT source, kind, CAST(known_by - INTERVAL '12' HOUR AS DATE) AS day, known_by, CAST(rows AS BIGINT) AS rows
FROM both
