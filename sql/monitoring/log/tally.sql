/*---
name: tally
description: The log read once - recommendations alike in profile, day and what came of them when, counted; of any earlier day at $as_of's time of day the counts say all that the rows would.
key: [number]
---*/
-- "By": the first moment at that time of day that comes after.  What happened before such a moment, has come by it.
WITH dated AS (
  SELECT COALESCE(c.kind, 0) AS customer_kind, COALESCE(a.kind, 0) AS article_kind, r.shown_on, r.dismissed,
         date_bin(INTERVAL '1' DAY, r.recommended_at, $as_of) + INTERVAL '1' DAY AS shown_by,
         date_bin(INTERVAL '1' DAY, r.clicked_at, $as_of) + INTERVAL '1' DAY AS clicked_by,
         date_bin(INTERVAL '1' DAY, r.purchased_at, $as_of) + INTERVAL '1' DAY AS purchased_by,
         CASE WHEN r.returned_at <= r.purchased_at + $return_window
              THEN date_bin(INTERVAL '1' DAY, r.returned_at, $as_of) + INTERVAL '1' DAY END AS returned_by,
         -- Full days from one to the next.
         CASE WHEN r.purchased_at IS NOT NULL
              THEN (CAST(date_part('epoch', r.purchased_at) AS BIGINT) - CAST(date_part('epoch', r.recommended_at) AS BIGINT)) / 86400 END AS purchase_delay,
         CASE WHEN r.returned_at IS NOT NULL
              THEN (CAST(date_part('epoch', r.returned_at) AS BIGINT) - CAST(date_part('epoch', r.purchased_at) AS BIGINT)) / 86400 END AS return_delay
  FROM sources.recommendations r
  LEFT JOIN monitoring.customer_profiles c ON c.customer_id = r.customer_id
  LEFT JOIN monitoring.article_profiles a ON a.product_id = r.product_id AND a.season = r.season
  WHERE r.recommended_at < $as_of
),
counted AS (
  SELECT customer_kind, article_kind, shown_on, shown_by, clicked_by, purchased_by, purchase_delay, returned_by, return_delay, dismissed,
         COUNT(*) AS shown
  FROM dated
  GROUP BY customer_kind, article_kind, shown_on, shown_by, clicked_by, purchased_by, purchase_delay, returned_by, return_delay, dismissed
),
customers AS (SELECT DISTINCT kind, profile FROM monitoring.customer_profiles),
articles AS (SELECT DISTINCT kind, profile FROM monitoring.article_profiles)
SELECT CAST(ROW_NUMBER() OVER (ORDER BY t.shown_by, t.customer_kind, t.article_kind, t.shown_on, t.clicked_by, t.purchased_by, t.purchase_delay,
                                        t.returned_by, t.return_delay, t.dismissed) AS BIGINT) AS number,
       concat_ws(' / ', c.profile, a.profile) AS profile, t.*
FROM counted t
LEFT JOIN customers c ON c.kind = t.customer_kind
LEFT JOIN articles a ON a.kind = t.article_kind
