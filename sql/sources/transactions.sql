/*---
name: transactions
file: transactions.csv
description: Something a customer did in the shop, with the article it was done to.
key: [transaction_id]
known_from: event_time
consent: consented
kinds: [event_type, channel]
columns:
  transaction_id: number of the event
  event_time: when, UTC
  customer_id: who
  product_id: article number; the season is found through the moment or the order
  event_type: browse, wishlist, purchase or return
  order_id: order that a purchase makes or a return undoes
  quantity: pieces, negative when sent back
  unit_price_eur: price paid for one piece
  session_id: visit
  channel: web, app or email
set_aside:
  no_transaction_id: {column: transaction_id, found: no number, done: set aside}
  late_copy: {found: "the whole row is repeated, often far from the first", done: "the first row is kept, the copies are set aside"}
  transaction_twice: {column: transaction_id, found: "the number a second time, with other contents", done: "the first row is kept, the others are set aside"}
  bad_time: {column: event_time, found: no readable time, done: set aside}
  after_export: {column: event_time, found: a time after the export was taken, done: set aside}
  unknown_event: {column: event_type, found: "neither browse, wishlist, purchase nor return", done: set aside}
  bad_quantity: {column: quantity, found: "a purchase or return without a readable whole number of pieces other than 0", done: set aside}
  negative_purchase: {column: quantity, found: "a purchase of less than no pieces: a refund that is written as a purchase", done: "set aside; it is none"}
  unclear_amount: {column: unit_price_eur, found: "a price that can be read in two ways, such as 1,299 or 1.299", done: set aside}
  bad_amount: {column: unit_price_eur, found: "a purchase or return without a readable price of at least 0", done: set aside}
  unknown_customer: {column: customer_id, found: no such customer, done: set aside}
  robot: {column: session_id, found: "more looks, and faster, than a person can make, in one visit or in many that follow each other", done: "the visits are set aside, the customer stays"}
  unknown_product: {column: product_id, found: no article ever had this number, done: set aside}
  not_on_sale: {column: product_id, found: no article of this number was on sale at that moment, done: set aside}
  several_on_sale: {column: product_id, found: several articles of this number were on sale at that moment, done: set aside}
  purchase_without_order: {column: order_id, found: a purchase without an order number, done: set aside}
  order_twice: {column: order_id, found: a second purchase of the same article under the same order number, done: "the first purchase is kept, the others are set aside"}
  return_without_order: {column: order_id, found: a return of an order that is not there, done: set aside}
  return_of_other: {column: order_id, found: "a return by another customer or of another article number than the order's", done: set aside}
  return_before_order: {column: event_time, found: a return before its order, done: set aside}
  return_again: {column: quantity, found: "a return of an article of an order of which all pieces came back before", done: set aside}
surprises:
  no_zone: {column: event_time, found: "a time that does not say on whose clock", done: "read as UTC"}
  day_first_time: {column: event_time, found: "time written day first (31.12.2025 23:59:59)", done: "read as UTC like the rest, which keeps the order of the visit"}
  return_out_of_sale: {column: product_id, found: "a return after the article went off sale: its number stands for nothing, or for another article, by then", done: "the season is the order's"}
  return_number_reassigned: {column: product_id, found: "a return when its number already stood for another season's article", done: "the season is the order's"}
  return_after_window: {column: event_time, found: "a return later than the return window of its order", done: "kept; the purchase had counted as kept by then, and still does"}
  paid_less: {column: unit_price_eur, found: "a purchase below the list price", done: "kept; money is what was paid"}
  paid_more: {column: unit_price_eur, found: "a purchase above the list price", done: "kept; money is what was paid"}
  respelled_amount: {column: unit_price_eur, found: "a price with a decimal comma, separators for thousands or a currency", done: "read as the number it means"}
  rounded_amount: {column: unit_price_eur, found: "a price with more than two decimals", done: "rounded to hundredths"}
  return_of_more: {column: quantity, found: "a return of more pieces than were left of its purchase", done: "kept as a return of those that were left"}
  refunded_more: {column: unit_price_eur, found: "a return at a higher price than was paid", done: "kept; what was paid came back"}
  before_signup: {column: event_time, found: "an event before the day on which its customer registered", done: kept}
  heavy_customer: {column: customer_id, found: "an event of a customer who buys far more than others do, perhaps for a company", done: "kept; ranges in the reports are drawn by customer, so that each counts once"}
  after_last_day: {column: event_time, found: "a return that came after the last day of looks and purchases", done: kept}
---*/
-- What a row says of itself.
WITH written AS (
  SELECT r.line, identifier(r.transaction_id) AS transaction_id, identifier(r.customer_id) AS customer_id, identifier(r.product_id) AS product_id,
         identifier(r.order_id) AS order_id, identifier(r.session_id) AS session_id,
         lower(given(r.event_type)) AS event, moment(r.event_time, 'UTC') AS moment, day_first(r.event_time) AS day_first, own_offset(r.event_time) AS own_offset,
         r.quantity, r.unit_price_eur, r.channel
  FROM raw.transactions r
),
parsed AS (
  SELECT r.*,
         r.event = 'browse' AS looked, r.event = 'wishlist' AS wished, r.event = 'purchase' AS bought, r.event = 'return' AS sent_back,
         r.transaction_id IS NULL AS no_number, r.order_id IS NULL AS no_order,
         TRY_CAST(whole_number(r.quantity) AS INT) AS pieces,
         amount(r.unit_price_eur, 'EUR') AS unit_price,
         amount_spelling(r.unit_price_eur, 'EUR') AS price_spelling
  FROM written r
),
-- Numbers that come more than once are few, so only their rows are held against each other.
repeated AS (
  SELECT transaction_id, MIN(line) AS first_line FROM parsed
  WHERE transaction_id IS NOT NULL GROUP BY transaction_id HAVING COUNT(*) > 1
),
twins AS (SELECT p.line, d.first_line FROM repeated d JOIN parsed p ON p.transaction_id = d.transaction_id),
kinds AS (
  SELECT MIN(r.line) AS line FROM twins t JOIN raw.transactions r ON r.line = t.line
  GROUP BY r.transaction_id, r.event_time, r.customer_id, r.product_id, r.event_type, r.order_id, r.quantity, r.unit_price_eur, r.session_id, r.channel
),
others AS (SELECT t.line, k.line IS NULL AS copied, t.line <> t.first_line AS again FROM twins t LEFT JOIN kinds k ON k.line = t.line),
typed AS (
  SELECT r.*,
         CASE WHEN r.bought OR r.sent_back
              THEN CASE WHEN r.pieces IS NULL OR r.pieces = 0 THEN 'bad_quantity'
                        WHEN r.pieces < 0 AND r.bought THEN 'negative_purchase'
                        WHEN r.price_spelling = 'unclear' THEN 'unclear_amount'
                        WHEN r.unit_price IS NULL OR r.unit_price < 0 THEN 'bad_amount' END END AS bad_amount,
         COALESCE(o.again, false) AS again,
         CASE WHEN r.no_number THEN 'no_transaction_id'
              WHEN o.copied THEN 'late_copy'
              WHEN o.again THEN 'transaction_twice'
              WHEN r.moment IS NULL THEN 'bad_time'
              WHEN r.moment > $exported_at THEN 'after_export'
              WHEN (r.looked OR r.wished OR r.bought OR r.sent_back) IS NOT TRUE THEN 'unknown_event' END AS first_reason
  FROM parsed r LEFT JOIN others o ON o.line = r.line
),
-- Robots: whoever may be one has a third of a robot's looks in one of the stretches that a robot needs for all.
busy AS (
  SELECT customer_id FROM parsed
  WHERE looked AND customer_id IS NOT NULL
  GROUP BY customer_id, CAST(date_part('epoch', moment) AS BIGINT) / ($robot_looks * $robot_seconds_per_look)
  HAVING COUNT(*) >= $robot_looks / 3
),
of_busy AS (
  SELECT p.line, p.customer_id, p.session_id, p.transaction_id, p.looked, p.moment, date_part('epoch', p.moment) AS at_second
  FROM (SELECT DISTINCT customer_id FROM busy) b JOIN parsed p ON p.customer_id = b.customer_id
),
their_looks AS (
  SELECT customer_id, session_id, MIN(line) AS line, at_second, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY at_second, MIN(line)) AS nth
  FROM of_busy WHERE looked AND moment IS NOT NULL GROUP BY customer_id, session_id, transaction_id, at_second
),
begun AS (
  SELECT l.customer_id, l.session_id, l.line, l.nth, MAX(CASE WHEN e.at_second - l.at_second < $robot_looks * $robot_seconds_per_look THEN l.nth END)
         OVER (PARTITION BY l.customer_id ORDER BY l.nth) AS burst
  FROM their_looks l LEFT JOIN their_looks e ON e.customer_id = l.customer_id AND e.nth = l.nth + $robot_looks - 1
),
in_bursts AS (SELECT customer_id, session_id, line FROM begun WHERE nth - burst < $robot_looks),
robot_visits AS (
  SELECT customer_id, session_id FROM their_looks GROUP BY customer_id, session_id
  HAVING COUNT(*) >= $robot_looks AND MAX(at_second) - MIN(at_second) < COUNT(*) * $robot_seconds_per_look
  UNION SELECT customer_id, session_id FROM in_bursts
),
robots AS (
  SELECT DISTINCT e.line, true AS robot
  FROM of_busy e
  LEFT JOIN robot_visits v ON v.customer_id = e.customer_id AND v.session_id = e.session_id
  LEFT JOIN in_bursts b ON b.line = e.line
  WHERE v.session_id IS NOT NULL OR b.line IS NOT NULL
),
-- The stretches between the days on which an article of a number comes or goes: within one, the same articles are on sale.
days AS (
  SELECT product_id, CAST(on_sale_from AS TIMESTAMP) AS day FROM sources.products
  UNION SELECT product_id, CAST(on_sale_until AS TIMESTAMP) + INTERVAL '1' DAY FROM sources.products
),
stretches AS (SELECT product_id, day AS since, LEAD(day) OVER (PARTITION BY product_id ORDER BY day) AS until FROM days),
-- The article whose days of sale hold the moment; both days count.
on_sale AS (
  SELECT s.product_id, s.since, s.until, COUNT(*) AS articles, MIN(p.season) AS season, MIN(p.price_eur) AS list_price
  FROM stretches s
  JOIN sources.products p ON p.product_id = s.product_id
                         AND CAST(p.on_sale_from AS TIMESTAMP) <= s.since
                         AND CAST(p.on_sale_until AS TIMESTAMP) + INTERVAL '1' DAY >= s.until
  GROUP BY s.product_id, s.since, s.until
),
found AS (
  SELECT t.*, s.articles, s.season AS season_on_sale, s.list_price
  FROM typed t LEFT JOIN on_sale s ON s.product_id = t.product_id AND t.moment >= s.since AND t.moment < s.until
),
numbers AS (SELECT product_id, true AS known FROM sources.products GROUP BY product_id),
-- A purchase is an article of an order; of several of one article under one order number the first is.
purchases AS (
  SELECT order_id, product_id, customer_id, moment, season_on_sale AS season, pieces, unit_price, line
  FROM found WHERE articles = 1 AND bought AND bad_amount IS NULL AND NOT again AND NOT no_order
),
shared_orders AS (SELECT order_id, product_id FROM purchases GROUP BY order_id, product_id HAVING COUNT(*) > 1),
second_purchases AS (
  SELECT line, true AS again FROM (
    SELECT p.line, ROW_NUMBER() OVER (PARTITION BY p.order_id, p.product_id ORDER BY p.moment, p.line) AS nth_purchase
    FROM shared_orders s JOIN purchases p ON p.order_id = s.order_id AND p.product_id = s.product_id)
  WHERE nth_purchase > 1
),
orders AS (SELECT * FROM purchases p WHERE NOT EXISTS (SELECT 1 FROM second_purchases s WHERE s.line = p.line)),
-- Every return with the purchase it undoes, and how many pieces of that came back before.
undone AS (
  SELECT r.line, r.order_id, r.moment, r.customer_id, r.first_reason, r.bad_amount, abs(r.pieces) AS pieces,
         o.line AS bought_on, o.customer_id AS buyer, o.season, o.moment AS bought_at, o.pieces AS bought_pieces, o.unit_price AS paid,
         o.customer_id = r.customer_id AND r.moment >= o.moment AND r.first_reason IS NULL AND r.bad_amount IS NULL AS holds
  FROM found r
  LEFT JOIN orders o ON o.order_id = r.order_id AND o.product_id = r.product_id
  WHERE r.sent_back
),
-- Of the orders of returns that fit none of their articles, those that are there.
of_others AS (
  SELECT u.line FROM undone u JOIN purchases p ON p.order_id = u.order_id WHERE u.bought_on IS NULL GROUP BY u.line
),
counted AS (
  SELECT line, bought_on, moment, bought_pieces - COALESCE(SUM(pieces) OVER earlier, 0) AS still_there, COUNT(*) OVER earlier AS came_before
  FROM undone WHERE holds
  WINDOW earlier AS (PARTITION BY bought_on ORDER BY moment, line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
returns AS (
  SELECT u.line, u.season, u.bought_at, u.paid,
         CASE WHEN u.bought_on IS NULL THEN CASE WHEN f.line IS NOT NULL THEN 'return_of_other' ELSE 'return_without_order' END
              WHEN u.buyer <> u.customer_id THEN 'return_of_other'
              WHEN u.moment < u.bought_at THEN 'return_before_order'
              WHEN c.still_there <= 0 THEN 'return_again' END AS reason,
         LEAST(u.pieces, c.still_there) AS pieces, u.pieces > c.still_there AS more, c.came_before = 0 AS is_first
  FROM undone u LEFT JOIN counted c ON c.line = u.line LEFT JOIN of_others f ON f.line = u.line
),
last_day AS (SELECT MAX(moment) AS last_moment FROM parsed WHERE NOT sent_back),
buyers AS (SELECT customer_id, COUNT(*) AS purchases FROM found WHERE bought AND NOT again AND NOT no_number GROUP BY customer_id),
customers AS (
  SELECT c.customer_id, true AS known, c.personalisation_consent AS consented, COALESCE(y.purchases >= $heavy_purchases, false) AS heavy,
         moment(CAST(c.signup_date AS VARCHAR), $timezone) AS signed_up
  FROM sources.customers c LEFT JOIN buyers y ON y.customer_id = c.customer_id
),
-- In set_aside, of two conditions that both must hold the one that few rows meet stands last: the engine asks the other of
-- those rows alone, and copies them for it.
judged AS (
  SELECT t.*,
         COALESCE(r.season, t.season_on_sale) AS season, r.pieces AS pieces_back, r.paid, r.is_first AS first_return, COALESCE(c.consented, false) AS consented,
         CASE WHEN t.first_reason IS NOT NULL THEN t.first_reason
              WHEN c.known IS NULL THEN 'unknown_customer'
              WHEN b.robot THEN 'robot'
              WHEN n.known IS NULL THEN 'unknown_product'
              WHEN t.bad_amount IS NOT NULL THEN t.bad_amount
              WHEN NOT t.sent_back AND t.articles IS NULL THEN 'not_on_sale'
              WHEN NOT t.sent_back AND t.articles > 1 THEN 'several_on_sale'
              WHEN t.no_order AND t.bought THEN 'purchase_without_order'
              WHEN s.again THEN 'order_twice'
              WHEN r.reason IS NOT NULL THEN r.reason END AS set_aside,
         concat_ws(' ', CASE WHEN t.day_first THEN 'day_first_time'
                             WHEN NOT t.own_offset THEN 'no_zone' END,
                        CASE WHEN t.sent_back AND t.articles IS NULL THEN 'return_out_of_sale'
                             WHEN t.sent_back AND t.season_on_sale <> r.season THEN 'return_number_reassigned' END,
                        CASE WHEN t.sent_back AND t.moment > r.bought_at + $return_window THEN 'return_after_window' END,
                        CASE WHEN r.more THEN 'return_of_more' END,
                        CASE WHEN t.unit_price > r.paid THEN 'refunded_more' END,
                        CASE WHEN t.bought AND t.unit_price < t.list_price THEN 'paid_less'
                             WHEN t.bought AND t.unit_price > t.list_price THEN 'paid_more' END,
                        CASE WHEN t.price_spelling = 'rounded' THEN 'rounded_amount'
                             WHEN t.price_spelling IN ('decimal comma', 'thousands', 'currency') THEN 'respelled_amount' END,
                        CASE WHEN t.moment < c.signed_up THEN 'before_signup' END,
                        CASE WHEN c.heavy THEN 'heavy_customer' END,
                        CASE WHEN t.sent_back AND t.moment > l.last_moment THEN 'after_last_day' END) AS surprises
  FROM last_day l
  CROSS JOIN found t
  LEFT JOIN returns r ON r.line = t.line
  LEFT JOIN second_purchases s ON s.line = t.line
  LEFT JOIN customers c ON c.customer_id = t.customer_id
  LEFT JOIN robots b ON b.line = t.line
  LEFT JOIN numbers n ON n.product_id = t.product_id
)
SELECT transaction_id, moment AS event_time, customer_id, product_id, season, event AS event_type, order_id,
       CAST(CASE WHEN bought THEN pieces WHEN sent_back THEN pieces_back END AS INT) AS quantity,
       CASE WHEN bought THEN unit_price WHEN sent_back THEN LEAST(unit_price, paid) END AS unit_price_eur,
       CAST(CASE WHEN bought THEN unit_price * pieces WHEN sent_back THEN LEAST(unit_price, paid) * pieces_back END AS DECIMAL(14, 2)) AS amount_eur,
       -- Of the parts in which a purchase came back, whether it is the first: counted, these are the purchases sent back.
       event AS stands_for, first_return, consented, session_id, COALESCE(lower(given(channel)), 'not given') AS channel,
       line, set_aside, surprises
FROM judged
