/*---
name: daily_counts
description: The log read once - recommendations alike in profile, day and what came of them when, counted; of any earlier day at $as_of's time of day the counts say all that the rows would.
key: [number]
---*/
WITH dated AS (
  SELECT c.stratum AS customer_stratum, COALESCE(a.stratum, 0) AS article_stratum, r.shown_on, r.dismissed,
         date_bin(INTERVAL '1' DAY, r.recommended_at, $as_of) AS shown_from,
         date_bin(INTERVAL '1' DAY, r.clicked_at, $as_of) AS clicked_from,
         date_bin(INTERVAL '1' DAY, r.purchased_at, $as_of) AS purchased_from,
         date_bin(INTERVAL '1' DAY, r.returned_at, $as_of) AS returned_from,
         -- Full days from one to the next.
         (to_unixtime(r.purchased_at) - to_unixtime(r.recommended_at)) / 86400 AS purchase_delay,
         (to_unixtime(r.returned_at) - to_unixtime(r.purchased_at)) / 86400 AS return_delay,
         r.returned_at > r.purchased_at + $return_window AS too_late
  FROM sources.recommendations r
  JOIN monitoring.customer_strata c ON c.customer_id = r.customer_id
  LEFT JOIN monitoring.article_strata a ON a.product_id = r.product_id AND a.season = r.season
  WHERE r.recommended_at < $as_of
),
counted AS (
  SELECT customer_stratum, article_stratum, shown_on, dismissed, shown_from, clicked_from, purchased_from, purchase_delay, returned_from, return_delay,
         too_late, COUNT(*) AS shown
  FROM dated
  GROUP BY customer_stratum, article_stratum, shown_on, dismissed, shown_from, clicked_from, purchased_from, purchase_delay, returned_from, return_delay, too_late
),
-- "By": the first moment at that time of day that comes after.  What happened before such a moment, has come by it.
known AS (
  SELECT customer_stratum, article_stratum, shown_on, shown_from + INTERVAL '1' DAY AS shown_by, clicked_from + INTERVAL '1' DAY AS clicked_by,
         purchased_from + INTERVAL '1' DAY AS purchased_by, purchase_delay,
         CASE WHEN NOT too_late THEN returned_from + INTERVAL '1' DAY END AS returned_by, CASE WHEN NOT too_late THEN return_delay END AS return_delay,
         dismissed, SUM(shown) AS shown
  FROM counted
  GROUP BY customer_stratum, article_stratum, shown_on, dismissed, shown_from, clicked_from, purchased_from, purchase_delay, 8, 9
)
SELECT CAST(ROW_NUMBER() OVER (ORDER BY t.shown_by, t.customer_stratum, t.article_stratum, t.shown_on, t.clicked_by, t.purchased_by, t.purchase_delay,
                                        t.returned_by, t.return_delay, t.dismissed) AS BIGINT) AS number,
       concat_ws(' / ', c.profile, a.profile) AS profile, t.*
FROM known t
JOIN monitoring.strata c ON c.owner = 'customers' AND c.stratum = t.customer_stratum
LEFT JOIN monitoring.strata a ON a.owner = 'articles' AND a.stratum = t.article_stratum
