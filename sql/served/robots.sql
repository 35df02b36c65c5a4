/*---
name: robots
description: |
  Events of visits that no person makes: more looks, and faster, in one visit or in many that follow each other.  It is the rule
  by which sql/sources/transactions.sql sets the export's robots aside, over what customers did by the served log.
key: [id]
---*/
WITH deeds AS (
  SELECT id, customer_id, session_id, kind = 'browse' AS looked, date_part('epoch', at) AS at_second
  FROM served.events WHERE kind IN ('browse', 'wishlist', 'purchase', 'return')
),
their_looks AS (
  SELECT id, customer_id, session_id, at_second, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY at_second, id) AS nth
  FROM deeds WHERE looked
),
begun AS (
  SELECT l.id, l.customer_id, l.session_id, l.nth, MAX(CASE WHEN e.at_second - l.at_second < $robot_looks * $robot_seconds_per_look THEN l.nth END)
         OVER (PARTITION BY l.customer_id ORDER BY l.nth) AS burst
  FROM their_looks l LEFT JOIN their_looks e ON e.customer_id = l.customer_id AND e.nth = l.nth + $robot_looks - 1
),
in_bursts AS (SELECT id, customer_id, session_id FROM begun WHERE nth - burst < $robot_looks),
robot_visits AS (
  SELECT customer_id, session_id FROM their_looks GROUP BY customer_id, session_id
  HAVING COUNT(*) >= $robot_looks AND MAX(at_second) - MIN(at_second) < COUNT(*) * $robot_seconds_per_look
  UNION SELECT customer_id, session_id FROM in_bursts
)
SELECT DISTINCT e.id
FROM deeds e
LEFT JOIN robot_visits v ON v.customer_id = e.customer_id AND v.session_id = e.session_id
LEFT JOIN in_bursts b ON b.id = e.id
WHERE v.session_id IS NOT NULL OR b.id IS NOT NULL
