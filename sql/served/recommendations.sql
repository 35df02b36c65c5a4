/*---
name: recommendations
description: |
  What lists showed, a row for each place of each answer, as sources.recommendations has it, with what came of it; or a code
  that says why it is none.  Where a day's pages report what was on the screen, what they do not report was not shown; on a day
  that reports nothing, what was answered counts as shown.
key: [recommendation_id]
---*/
WITH places AS (
  SELECT concat(s.request, '/', s.place) AS recommendation_id, s.request, s.place, s.product_id, s.season, r.customer_id, r.release,
         r.answered_at AS recommended_at, r.shadow
  FROM served.shown s JOIN served.requests r ON r.request = s.request
  -- What a visitor saw, of whom nothing is known but the visit, is nobody's.
  WHERE COALESCE(r.customer_id, '') <> ''
),
reported AS (
  SELECT request, product_id, MIN(at) AS seen_at, MIN(CASE WHEN kind = 'clicked' THEN at END) AS clicked_at
  FROM served.events WHERE kind IN ('shown', 'clicked') AND request IS NOT NULL
  GROUP BY request, product_id
),
reporting AS (SELECT DISTINCT date_trunc('day', at) AS day FROM served.events WHERE kind = 'shown'),
-- A list that was shown twice, as the shop's own log has it too, is shown once: within a minute it is the same.
known AS (
  SELECT DISTINCT p.recommendation_id
  FROM places p
  JOIN sources.recommendations e ON e.customer_id = p.customer_id AND e.product_id = p.product_id AND e.season = p.season
  WHERE e.recommendation_id = p.recommendation_id
     OR e.recommended_at BETWEEN p.recommended_at - INTERVAL '1' MINUTE AND p.recommended_at + INTERVAL '1' MINUTE
),
judged AS (
  SELECT p.*, CASE WHEN e.clicked_at IS NOT NULL THEN GREATEST(e.clicked_at, p.recommended_at) END AS clicked_at,
         CASE WHEN p.shadow THEN 'shadow'
              WHEN c.customer_id IS NULL THEN 'unknown_customer'
              WHEN NOT COALESCE(c.personalisation_consent, false) THEN 'without_consent'
              WHEN a.product_id IS NULL THEN 'unknown_product'
              WHEN k.recommendation_id IS NOT NULL THEN 'in_the_export'
              WHEN d.day IS NOT NULL AND e.seen_at IS NULL THEN 'not_seen' END AS set_aside
  FROM places p
  LEFT JOIN sources.customers c ON c.customer_id = p.customer_id
  LEFT JOIN sources.products a ON a.product_id = p.product_id AND a.season = p.season
  LEFT JOIN known k ON k.recommendation_id = p.recommendation_id
  LEFT JOIN reported e ON e.request = p.request AND e.product_id = p.product_id
  LEFT JOIN reporting d ON d.day = date_trunc('day', p.recommended_at)
),
-- A purchase is the last click's that came before it, and in time.
bought AS (
  SELECT j.recommendation_id, t.order_id, t.event_time AS purchased_at,
         ROW_NUMBER() OVER (PARTITION BY t.transaction_id ORDER BY j.clicked_at DESC, j.recommendation_id) AS nth
  FROM judged j
  JOIN sources.transactions t ON t.customer_id = j.customer_id AND t.product_id = j.product_id AND t.season = j.season
                             AND t.event_time >= j.clicked_at AND t.event_time <= j.recommended_at + $purchase_window
  WHERE j.set_aside IS NULL AND t.event_type = 'purchase' AND t.consented
),
purchases AS (
  SELECT recommendation_id, MIN(purchased_at) AS purchased_at, first_value(order_id ORDER BY purchased_at, order_id) AS order_id
  FROM bought WHERE nth = 1 GROUP BY recommendation_id
),
sent_back AS (
  SELECT order_id, product_id, MIN(event_time) AS returned_at
  FROM sources.transactions WHERE event_type = 'return' GROUP BY order_id, product_id
)
SELECT j.recommendation_id, j.recommended_at, CAST(local_time(j.recommended_at, $timezone) AS DATE) AS shown_on, j.customer_id, j.product_id,
       j.season, CAST(j.place AS INT) AS position, concat('release ', j.release) AS model_version, j.clicked_at, b.purchased_at, r.returned_at,
       false AS dismissed, j.set_aside
FROM judged j
LEFT JOIN purchases b ON b.recommendation_id = j.recommendation_id
LEFT JOIN sent_back r ON r.order_id = b.order_id AND r.product_id = j.product_id
