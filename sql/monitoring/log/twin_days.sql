/*---
name: twin_days
description: Of days on which more came than on the weekdays before, how many rows are there a second time under another number - the same customer, article and moment.
key: [source, day]
---*/
WITH totals AS (SELECT source, day, known_by, rows FROM monitoring.arrivals WHERE kind IN ('shown', 'event')),
-- What came later says nothing here, so that an earlier report asks the same days.
before AS (
  SELECT t.source, t.day, t.known_by, t.rows, median(CAST(e.rows AS DOUBLE)) AS usual
  FROM totals t
  LEFT JOIN totals e ON e.source = t.source AND CAST(e.day AS INT) % 7 = CAST(t.day AS INT) % 7 AND e.day < t.day AND CAST(e.day AS INT) >= CAST(t.day AS INT) - 28
  GROUP BY t.source, t.day, t.known_by, t.rows
),
asked AS (SELECT source, day, known_by FROM before WHERE usual IS NULL OR rows >= 1.3 * usual),
things AS (
  SELECT a.source, a.day, r.customer_id, r.product_id, 'shown' AS kind, r.recommended_at AS moment, COUNT(*) AS rows
  FROM sources.recommendations r
  JOIN asked a ON a.source = 'recommendations' AND a.known_by = date_bin(INTERVAL '1' DAY, r.recommended_at, $as_of) + INTERVAL '1' DAY
  WHERE r.recommended_at < $as_of
  GROUP BY a.source, a.day, r.customer_id, r.product_id, r.recommended_at
  UNION ALL
  SELECT a.source, a.day, t.customer_id, t.product_id, t.event_type, t.event_time, COUNT(*)
  FROM sources.transactions t
  JOIN asked a ON a.source = 'transactions' AND a.known_by = date_bin(INTERVAL '1' DAY, t.event_time, $as_of) + INTERVAL '1' DAY
  WHERE t.event_time < $as_of
  GROUP BY a.source, a.day, t.customer_id, t.product_id, t.event_type, t.event_time
)
SELECT source, day, CAST(SUM(rows) AS BIGINT) AS rows, CAST(SUM(rows) - COUNT(*) AS BIGINT) AS twins FROM things GROUP BY source, day
