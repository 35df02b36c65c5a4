/*---
name: recommendations
file: production-recommendations-sample.csv
description: One recommendation that was shown, with what is known of its outcome at the export.
key: [recommendation_id]
known_from: recommended_at
outcomes: true
columns:
  recommendation_id: number of the recommendation
  recommended_at: when it was shown, on the shop's clock
  customer_id: to whom
  product_id: article number
  position: place in the list, 1 is the first
  model_version: what chose it
  clicked: 1 if clicked
  clicked_at: when
  purchased: 1 if bought
  purchased_at: when
  returned: 1 if sent back
  returned_at: when
  ground_truth_available: true when the outcome is final
set_aside:
  no_recommendation_id: {column: recommendation_id, found: no number, done: set aside}
  late_copy: {found: the whole row is repeated, done: "the first row is kept, the copies are set aside"}
  recommendation_twice: {column: recommendation_id, found: "the number a second time, with other contents", done: "the first row is kept, the others are set aside"}
  bad_time: {column: recommended_at, found: no readable time, done: set aside}
  after_export: {column: recommended_at, found: a time after the export was taken, done: set aside}
  unknown_customer: {column: customer_id, found: no such customer, done: set aside}
  unknown_product: {column: product_id, found: no article ever had this number, done: set aside}
  not_on_sale: {column: product_id, found: no article of this number was on sale at that moment, done: set aside}
  several_on_sale: {column: product_id, found: several articles of this number were on sale at that moment, done: set aside}
  bad_position: {column: position, found: no whole number from 1 on, done: set aside}
  outcome_without_time: {column: clicked_at, found: "a click, purchase or return without a readable time", done: set aside}
  outcome_before_cause: {column: clicked_at, found: "an outcome before the recommendation, or a return before its purchase", done: set aside}
  outcome_after_export: {column: returned_at, found: an outcome after the export was taken, done: set aside}
  return_without_purchase: {column: returned, found: a return of something that was not bought, done: set aside}
surprises:
  shop_clock: {column: recommended_at, found: "times on the shop's clock, while all else is UTC", done: turned into UTC}
  purchase_too_late: {column: purchased_at, found: "a purchase later than the window in which it counts", done: "kept; does not count for the recommendation"}
  not_shippable: {column: product_id, found: an article that cannot be sent to the customer's country, done: "kept, because it was shown"}
  shown_without_consent: {column: customer_id, found: "a customer who has not agreed to personalisation", done: "kept, because it was shown"}
  final_flag_wrong: {column: ground_truth_available, found: "marked final although the outcome can still change, or open although it cannot", done: "whether an outcome is final is worked out from its age"}
---*/
WITH typed AS (
  SELECT r.*,
         local_to_utc(TRY_CAST(r.recommended_at AS TIMESTAMP), $timezone) AS shown_at,
         local_to_utc(TRY_CAST(r.clicked_at AS TIMESTAMP), $timezone) AS click_time,
         local_to_utc(TRY_CAST(r.purchased_at AS TIMESTAMP), $timezone) AS purchase_time,
         local_to_utc(TRY_CAST(r.returned_at AS TIMESTAMP), $timezone) AS return_time,
         TRY_CAST(r.recommended_at AS TIMESTAMP) AS shown_local,
         TRY_CAST(r.position AS INT) AS place,
         COALESCE(trim(r.clicked), '0') = '1' AS was_clicked,
         COALESCE(trim(r.purchased), '0') = '1' AS was_purchased,
         COALESCE(trim(r.returned), '0') = '1' AS was_returned,
         lower(trim(r.ground_truth_available)) = 'true' AS marked_final,
         ROW_NUMBER() OVER (PARTITION BY r.recommendation_id ORDER BY r.line) AS nth,
         ROW_NUMBER() OVER (PARTITION BY r.recommendation_id, r.recommended_at, r.customer_id, r.product_id, r.position, r.model_version, r.clicked, r.clicked_at,
                                         r.purchased, r.purchased_at, r.returned, r.returned_at, r.ground_truth_available ORDER BY r.line) AS nth_copy
  FROM raw.recommendations r
),
-- The days of sale are days of the shop's clock, and so is the log.
on_sale AS (
  SELECT t.line, COUNT(*) AS articles, MIN(p.season) AS season, MIN(p.ships_to) AS ships_to
  FROM typed t
  JOIN sources.products p ON p.product_id = t.product_id
                         AND t.shown_local >= CAST(p.on_sale_from AS TIMESTAMP)
                         AND t.shown_local < CAST(p.on_sale_until AS TIMESTAMP) + INTERVAL '1' DAY
  GROUP BY t.line
),
numbers AS (SELECT DISTINCT product_id FROM sources.products),
judged AS (
  SELECT t.*, s.season, s.ships_to, c.country, c.personalisation_consent,
         t.was_purchased AND t.purchase_time <= t.shown_at + $purchase_window AS purchase_counts,
         CASE WHEN t.recommendation_id IS NULL THEN 'no_recommendation_id'
              WHEN t.nth_copy > 1 THEN 'late_copy'
              WHEN t.nth > 1 THEN 'recommendation_twice'
              WHEN t.shown_at IS NULL THEN 'bad_time'
              WHEN t.shown_at > $exported_at THEN 'after_export'
              WHEN c.customer_id IS NULL THEN 'unknown_customer'
              WHEN n.product_id IS NULL THEN 'unknown_product'
              WHEN s.articles IS NULL THEN 'not_on_sale'
              WHEN s.articles > 1 THEN 'several_on_sale'
              WHEN t.place IS NULL OR t.place < 1 THEN 'bad_position'
              WHEN t.was_returned AND NOT t.was_purchased THEN 'return_without_purchase'
              WHEN t.was_clicked AND t.click_time IS NULL OR t.was_purchased AND t.purchase_time IS NULL
                   OR t.was_returned AND t.return_time IS NULL THEN 'outcome_without_time'
              WHEN t.was_clicked AND t.click_time < t.shown_at OR t.was_purchased AND t.purchase_time < t.shown_at
                   OR t.was_returned AND t.return_time < t.purchase_time THEN 'outcome_before_cause'
              WHEN t.was_clicked AND t.click_time > $exported_at OR t.was_purchased AND t.purchase_time > $exported_at
                   OR t.was_returned AND t.return_time > $exported_at THEN 'outcome_after_export' END AS set_aside
  FROM typed t
  LEFT JOIN sources.customers c ON c.customer_id = t.customer_id
  LEFT JOIN numbers n ON n.product_id = t.product_id
  LEFT JOIN on_sale s ON s.line = t.line
),
-- Final means that nothing can change it any more: bought and sent back, bought and kept long enough, too late to be
-- bought, or dismissed, which only the shop can tell us.
aged AS (
  SELECT j.*,
         CASE WHEN was_purchased AND was_returned THEN true
              WHEN was_purchased THEN purchase_time + $return_window <= $exported_at
              ELSE shown_at + $purchase_window < $exported_at END AS final_by_age
  FROM judged j
)
SELECT recommendation_id, shown_at AS recommended_at, CAST(shown_local AS DATE) AS shown_on,
       customer_id, product_id, season, place AS position, COALESCE(model_version, 'not given') AS model_version,
       CASE WHEN was_clicked THEN click_time END AS clicked_at,
       -- A purchase that comes too late is a purchase, but not this recommendation's.
       CASE WHEN purchase_counts THEN purchase_time END AS purchased_at,
       CASE WHEN purchase_counts AND was_returned THEN return_time END AS returned_at,
       -- Dismissed: no purchase, young, and marked final by the shop.  When it was dismissed is not written down.
       NOT was_purchased AND NOT final_by_age AND COALESCE(marked_final, false) AS dismissed,
       line, set_aside,
       concat_ws(' ', CASE WHEN $timezone <> 'UTC' THEN 'shop_clock' END,
                      CASE WHEN was_purchased AND NOT purchase_counts THEN 'purchase_too_late' END,
                      CASE WHEN NOT concat(';', ships_to, ';') LIKE concat('%;', country, ';%') THEN 'not_shippable' END,
                      CASE WHEN NOT personalisation_consent THEN 'shown_without_consent' END,
                      CASE WHEN COALESCE(marked_final, false) <> final_by_age AND (was_purchased OR final_by_age) THEN 'final_flag_wrong' END) AS surprises
FROM aged
