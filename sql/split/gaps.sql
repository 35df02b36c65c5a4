/*---
name: gaps
description: |
  Stretches of days without any event, or without any of one kind, where as many days before and after have so many that
  chance does not explain it: a part of the export did not come along.  No rows when all is well.
key: [source, kind, last_before]
---*/
WITH daily AS (
  SELECT event_type AS kind, CAST(event_time AS DATE) AS day, COUNT(*) AS events
  FROM sources.transactions GROUP BY event_type, CAST(event_time AS DATE)
),
by_kind AS (
  SELECT kind, day, events FROM daily
  UNION ALL SELECT 'event' AS kind, day, SUM(events) AS events FROM daily GROUP BY day
),
steps AS (SELECT kind, day AS first_after, LAG(day) OVER (PARTITION BY kind ORDER BY day) AS last_before FROM by_kind),
holes AS (
  SELECT kind, last_before, first_after, CAST(first_after AS INT) - CAST(last_before AS INT) - 1 AS days
  FROM steps WHERE CAST(first_after AS INT) - CAST(last_before AS INT) > 1
),
-- As many days on either side, and no fewer than four weeks.
around AS (
  SELECT h.kind, h.last_before, h.first_after, h.days, GREATEST(h.days, 28) AS side,
         COALESCE(SUM(k.events) FILTER (WHERE k.day <= h.last_before), 0) AS before,
         COALESCE(SUM(k.events) FILTER (WHERE k.day >= h.first_after), 0) AS after
  FROM holes h
  JOIN by_kind k ON k.kind = h.kind AND CAST(k.day AS INT) > CAST(h.last_before AS INT) - GREATEST(h.days, 28)
                AND CAST(k.day AS INT) < CAST(h.first_after AS INT) + GREATEST(h.days, 28)
  GROUP BY h.kind, h.last_before, h.first_after, h.days
),
expected AS (
  SELECT kind, last_before, first_after, days,
         CAST(before * days / side AS BIGINT) AS usual_before, CAST(after * days / side AS BIGINT) AS usual_after
  FROM around
),
gaps AS (SELECT * FROM expected WHERE LEAST(usual_before, usual_after) >= $gap_events)
SELECT 'transactions' AS source, g.kind, g.last_before, g.first_after, g.days, g.usual_before, g.usual_after
FROM gaps g
-- Where nothing at all is there, its kinds need not be told as well.
WHERE NOT EXISTS (SELECT 1 FROM gaps w
                  WHERE w.kind = 'event' AND g.kind <> 'event' AND w.last_before >= g.last_before AND w.first_after <= g.first_after AND g.days <= 2 * w.days)
