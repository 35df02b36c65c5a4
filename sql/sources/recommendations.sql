/*---
name: recommendations
file: production-recommendations-sample.csv
description: One recommendation that was shown, with what is known of its outcome at the export.
key: [recommendation_id]
known_from: recommended_at
kinds: [clicked, purchased, returned, model_version]
outcomes: true
may_be_empty: true
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
  unclear_click: {column: clicked, found: "neither yes nor no", done: set aside}
  unclear_purchase: {column: purchased, found: "neither yes nor no", done: set aside}
  unclear_return: {column: returned, found: "neither yes nor no", done: set aside}
  outcome_denied: {column: clicked, found: "no click, purchase or return, and yet a time of it", done: set aside}
  outcome_without_time: {column: clicked_at, found: "a click, purchase or return without a readable time", done: set aside}
  outcome_before_cause: {column: clicked_at, found: "an outcome before the recommendation, or a return before its purchase", done: set aside}
  outcome_after_export: {column: returned_at, found: an outcome after the export was taken, done: set aside}
  return_without_purchase: {column: returned, found: a return of something that was not bought, done: set aside}
surprises:
  own_offset: {column: recommended_at, found: "times that say how far their clock is from UTC", done: "read as they say"}
  counted_from_zero: {column: position, found: "places of a model that are counted from 0", done: "counted from 1"}
  outcome_from_time: {column: clicked, found: "no word whether it was clicked, bought or sent back, and a time of it", done: "read as yes"}
  outcome_not_said: {column: clicked, found: "no word whether it was clicked, bought or sent back, and no time of it", done: "read as no"}
  final_not_said: {column: ground_truth_available, found: "neither yes nor no", done: "read as no; whether an outcome is final is worked out from its age"}
  shown_before_signup: {column: recommended_at, found: "a recommendation before the day on which its customer registered", done: "kept, because it was shown"}
  shop_clock: {column: recommended_at, found: "times on the shop's clock, while all else is UTC", done: turned into UTC}
  purchase_too_late: {column: purchased_at, found: "a purchase later than the window in which it counts", done: "kept; does not count for the recommendation"}
  not_shippable: {column: product_id, found: an article that cannot be sent to the customer's country, done: "kept, because it was shown"}
  shown_without_consent: {column: customer_id, found: "a customer who has not agreed to personalisation", done: "kept, because it was shown"}
  final_flag_wrong: {column: ground_truth_available, found: "marked final although the outcome can still change, or open although it cannot", done: "whether an outcome is final is worked out from its age"}
---*/
-- What a row says of itself.
WITH written AS (
  SELECT r.line, identifier(r.recommendation_id) AS recommendation_id, identifier(r.customer_id) AS customer_id, identifier(r.product_id) AS product_id,
         given(r.model_version) AS model_version, whole_number(r.position) AS written_place,
         moment(r.recommended_at, $timezone) AS shown_at, own_offset(r.recommended_at) AS says_offset,
         r.clicked_at, r.purchased_at, r.returned_at, given(r.clicked_at) IS NOT NULL AS has_click_time,
         given(r.purchased_at) IS NOT NULL AS has_purchase_time, given(r.returned_at) IS NOT NULL AS has_return_time,
         given(r.clicked) AS click_word, given(r.purchased) AS purchase_word, given(r.returned) AS return_word,
         flag(r.clicked) AS click_flag, flag(r.purchased) AS purchase_flag, flag(r.returned) AS return_flag, flag(r.ground_truth_available) AS marked_final
  FROM raw.recommendations r
),
-- Numbers that come more than once are few, so only their rows are held against each other.
repeated AS (
  SELECT recommendation_id, MIN(line) AS first_line FROM written
  WHERE recommendation_id IS NOT NULL GROUP BY recommendation_id HAVING COUNT(*) > 1
),
twins AS (SELECT w.line, d.first_line FROM repeated d JOIN written w ON w.recommendation_id = d.recommendation_id),
kinds AS (
  SELECT MIN(r.line) AS line FROM twins t JOIN raw.recommendations r ON r.line = t.line
  GROUP BY r.recommendation_id, r.recommended_at, r.customer_id, r.product_id, r.position, r.model_version, r.clicked, r.clicked_at,
           r.purchased, r.purchased_at, r.returned, r.returned_at, r.ground_truth_available
),
others AS (SELECT t.line, k.line IS NULL AS copied, t.line <> t.first_line AS again FROM twins t LEFT JOIN kinds k ON k.line = t.line),
-- Who counts places from 0 shows about as many at 0 as at 1; a single 0 among many places is a mistake.
from_zero AS (
  SELECT model_version, true AS from_zero FROM written GROUP BY model_version
  HAVING COUNT(*) FILTER (WHERE written_place = 0) > 0
     AND 2 * COUNT(*) FILTER (WHERE written_place = 0) >= COUNT(*) FILTER (WHERE written_place = 1)
),
-- Where the clock shows an hour twice, an outcome is of the first moment that is not before its cause.
clicks AS (
  SELECT w.*, z.from_zero, TRY_CAST(CASE WHEN z.from_zero THEN w.written_place + 1 ELSE w.written_place END AS INT) AS place,
         moment_after(w.clicked_at, $timezone, w.shown_at) AS click_time
  FROM written w LEFT JOIN from_zero z ON z.model_version IS NOT DISTINCT FROM w.model_version
),
buys AS (SELECT c.*, moment_after(c.purchased_at, $timezone, GREATEST(c.shown_at, c.click_time)) AS purchase_time FROM clicks c),
typed AS (
  SELECT b.*, local_time(b.shown_at, $timezone) AS shown_local, moment_after(b.returned_at, $timezone, b.purchase_time) AS return_time,
         COALESCE(b.click_flag, b.click_word IS NULL AND b.has_click_time) AS was_clicked,
         COALESCE(b.purchase_flag, b.purchase_word IS NULL AND b.has_purchase_time) AS was_purchased,
         COALESCE(b.return_flag, b.return_word IS NULL AND b.has_return_time) AS was_returned
  FROM buys b
),
-- The stretches between the days on which an article of a number comes or goes: within one, the same articles are on sale.  The
-- days of sale are days of the shop's clock, and so is the log.
days AS (
  SELECT product_id, CAST(on_sale_from AS TIMESTAMP) AS day FROM sources.products
  UNION SELECT product_id, CAST(on_sale_until AS TIMESTAMP) + INTERVAL '1' DAY FROM sources.products
),
stretches AS (SELECT product_id, day AS since, LEAD(day) OVER (PARTITION BY product_id ORDER BY day) AS until FROM days),
on_sale AS (
  SELECT s.product_id, s.since, s.until, COUNT(*) AS articles, MIN(p.season) AS season, MIN(p.ships_to) AS ships_to
  FROM stretches s
  JOIN sources.products p ON p.product_id = s.product_id
                         AND CAST(p.on_sale_from AS TIMESTAMP) <= s.since
                         AND CAST(p.on_sale_until AS TIMESTAMP) + INTERVAL '1' DAY >= s.until
  GROUP BY s.product_id, s.since, s.until
),
numbers AS (SELECT product_id, true AS known FROM sources.products GROUP BY product_id),
customers AS (
  SELECT customer_id, true AS known, country, personalisation_consent, moment(CAST(signup_date AS VARCHAR), $timezone) AS signed_up FROM sources.customers
),
judged AS (
  SELECT t.*, s.season, s.ships_to, c.country, c.personalisation_consent, c.signed_up,
         t.was_purchased AND t.purchase_time <= t.shown_at + $purchase_window AS purchase_counts,
         CASE WHEN t.recommendation_id IS NULL THEN 'no_recommendation_id'
              WHEN o.copied THEN 'late_copy'
              WHEN o.again THEN 'recommendation_twice'
              WHEN t.shown_at IS NULL THEN 'bad_time'
              WHEN t.shown_at > $exported_at THEN 'after_export'
              WHEN c.known IS NULL THEN 'unknown_customer'
              WHEN n.known IS NULL THEN 'unknown_product'
              WHEN s.articles IS NULL THEN 'not_on_sale'
              WHEN s.articles > 1 THEN 'several_on_sale'
              WHEN t.place IS NULL OR t.place < 1 THEN 'bad_position'
              WHEN t.click_word IS NOT NULL AND t.click_flag IS NULL THEN 'unclear_click'
              WHEN t.purchase_word IS NOT NULL AND t.purchase_flag IS NULL THEN 'unclear_purchase'
              WHEN t.return_word IS NOT NULL AND t.return_flag IS NULL THEN 'unclear_return'
              WHEN NOT t.was_clicked AND t.has_click_time OR NOT t.was_purchased AND t.has_purchase_time
                   OR NOT t.was_returned AND t.has_return_time THEN 'outcome_denied'
              WHEN t.was_returned AND NOT t.was_purchased THEN 'return_without_purchase'
              WHEN t.was_clicked AND t.click_time IS NULL OR t.was_purchased AND t.purchase_time IS NULL
                   OR t.was_returned AND t.return_time IS NULL THEN 'outcome_without_time'
              WHEN t.was_clicked AND t.click_time < t.shown_at OR t.was_purchased AND t.purchase_time < t.shown_at
                   OR t.was_returned AND t.return_time < t.purchase_time THEN 'outcome_before_cause'
              WHEN t.was_clicked AND t.click_time > $exported_at OR t.was_purchased AND t.purchase_time > $exported_at
                   OR t.was_returned AND t.return_time > $exported_at THEN 'outcome_after_export' END AS set_aside
  FROM typed t
  LEFT JOIN others o ON o.line = t.line
  LEFT JOIN customers c ON c.customer_id = t.customer_id
  LEFT JOIN numbers n ON n.product_id = t.product_id
  LEFT JOIN on_sale s ON s.product_id = t.product_id AND t.shown_local >= s.since AND t.shown_local < s.until
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
       concat_ws(' ', CASE WHEN says_offset THEN 'own_offset' WHEN $timezone <> 'UTC' THEN 'shop_clock' END,
                      CASE WHEN from_zero THEN 'counted_from_zero' END,
                      CASE WHEN click_flag IS NULL AND was_clicked OR purchase_flag IS NULL AND was_purchased
                                OR return_flag IS NULL AND was_returned THEN 'outcome_from_time' END,
                      CASE WHEN click_flag IS NULL AND NOT was_clicked OR purchase_flag IS NULL AND NOT was_purchased
                                OR return_flag IS NULL AND NOT was_returned THEN 'outcome_not_said' END,
                      CASE WHEN marked_final IS NULL THEN 'final_not_said' END,
                      CASE WHEN shown_at < signed_up THEN 'shown_before_signup' END,
                      CASE WHEN was_purchased AND NOT purchase_counts THEN 'purchase_too_late' END,
                      CASE WHEN NOT concat(';', replace(ships_to, ' ', ''), ';') LIKE concat('%;', country, ';%') THEN 'not_shippable' END,
                      CASE WHEN NOT personalisation_consent THEN 'shown_without_consent' END,
                      CASE WHEN COALESCE(marked_final, false) <> final_by_age AND (was_purchased OR final_by_age) THEN 'final_flag_wrong' END) AS surprises
FROM aged
