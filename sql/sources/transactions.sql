/*---
name: transactions
file: transactions.csv
description: Something a customer did in the shop, with the article it was done to.
key: [transaction_id]
known_from: event_time
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
  bad_amount: {column: unit_price_eur, found: "a purchase or return without a readable price and quantity", done: set aside}
  unknown_customer: {column: customer_id, found: no such customer, done: set aside}
  robot: {column: session_id, found: "more looks in one visit, and faster, than a person can make", done: "the visit is set aside, the customer stays"}
  unknown_product: {column: product_id, found: no article ever had this number, done: set aside}
  not_on_sale: {column: product_id, found: no article of this number was on sale at that moment, done: set aside}
  several_on_sale: {column: product_id, found: several articles of this number were on sale at that moment, done: set aside}
  purchase_without_order: {column: order_id, found: a purchase without an order number, done: set aside}
  order_twice: {column: order_id, found: a second purchase under the same order number, done: "the first purchase is kept, the others are set aside"}
  return_without_order: {column: order_id, found: a return of an order that is not there, done: set aside}
  return_of_other: {column: order_id, found: "a return by another customer or of another article number than the order's", done: set aside}
  return_before_order: {column: event_time, found: a return before its order, done: set aside}
surprises:
  day_first_time: {column: event_time, found: "time written day first (31.12.2025 23:59:59)", done: "read as UTC like the rest, which keeps the order of the visit"}
  return_out_of_sale: {column: product_id, found: "a return after the article went off sale: its number stands for nothing, or for another article, by then", done: "the season is the order's"}
  return_number_reassigned: {column: product_id, found: "a return when its number already stood for another season's article", done: "the season is the order's"}
  return_after_window: {column: event_time, found: "a return later than the return window of its order", done: "kept; the purchase had counted as kept by then, and still does"}
  paid_less: {column: unit_price_eur, found: "a purchase below the list price", done: "kept; money is what was paid"}
  paid_more: {column: unit_price_eur, found: "a purchase above the list price", done: "kept; money is what was paid"}
  heavy_customer: {column: customer_id, found: "an event of a customer who buys far more than others do, perhaps for a company", done: "kept; ranges in the reports are drawn by customer, so that each counts once"}
  after_last_day: {column: event_time, found: "a return that came after the last day of looks and purchases", done: kept}
---*/
-- Numbers that come more than once are few, so only their rows are held against each other.
WITH repeated AS (
  SELECT transaction_id, MIN(line) AS first_line FROM raw.transactions
  WHERE transaction_id IS NOT NULL GROUP BY transaction_id HAVING COUNT(*) > 1
),
twins AS (SELECT r.*, d.first_line FROM repeated d JOIN raw.transactions r ON r.transaction_id = d.transaction_id),
kinds AS (
  SELECT MIN(line) AS line FROM twins
  GROUP BY transaction_id, event_time, customer_id, product_id, event_type, order_id, quantity, unit_price_eur, session_id, channel
),
others AS (SELECT t.line, k.line IS NULL AS copied, t.line <> t.first_line AS again FROM twins t LEFT JOIN kinds k ON k.line = t.line),
-- What a row says of itself.
written AS (
  SELECT r.*, lower(trim(r.event_type)) AS event, TRY_CAST(r.event_time AS TIMESTAMP) AS iso_time FROM raw.transactions r
),
parsed AS (
  SELECT r.*,
         CASE WHEN r.iso_time IS NOT NULL THEN r.iso_time
              WHEN r.event_time LIKE '__.__.____ %'
              THEN TRY_CAST(concat(substr(r.event_time, 7, 4), '-', substr(r.event_time, 4, 2), '-', substr(r.event_time, 1, 2), 'T', substr(r.event_time, 12)) AS TIMESTAMP) END AS moment,
         r.event = 'browse' AS looked, r.event = 'wishlist' AS wished, r.event = 'purchase' AS bought, r.event = 'return' AS sent_back,
         r.transaction_id IS NULL AS no_number, r.order_id IS NULL AS no_order,
         TRY_CAST(r.quantity AS INT) AS pieces,
         TRY_CAST(r.unit_price_eur AS DECIMAL(12, 2)) AS unit_price
  FROM written r
),
typed AS (
  SELECT r.*,
         (r.pieces IS NULL OR r.pieces = 0 OR r.unit_price IS NULL OR r.unit_price < 0) AND (r.bought OR r.sent_back) AS bad_amount,
         COALESCE(o.again, false) AS again,
         CASE WHEN r.no_number THEN 'no_transaction_id'
              WHEN o.copied THEN 'late_copy'
              WHEN o.again THEN 'transaction_twice'
              WHEN r.moment IS NULL THEN 'bad_time'
              WHEN r.moment > $exported_at THEN 'after_export'
              WHEN (r.looked OR r.wished OR r.bought OR r.sent_back) IS NOT TRUE THEN 'unknown_event' END AS first_reason
  FROM parsed r LEFT JOIN others o ON o.line = r.line
),
busy AS (SELECT session_id FROM parsed WHERE looked GROUP BY session_id HAVING COUNT(*) >= $robot_looks),
robots AS (
  SELECT p.session_id, true AS robot FROM busy b JOIN parsed p ON p.session_id = b.session_id
  WHERE p.looked GROUP BY p.session_id
  HAVING COUNT(DISTINCT p.transaction_id) >= $robot_looks
     AND date_part('epoch', MAX(p.moment)) - date_part('epoch', MIN(p.moment)) < COUNT(DISTINCT p.transaction_id) * $robot_seconds_per_look
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
-- A purchase makes its order; of several under one order number the first does.
purchases AS (
  SELECT order_id, customer_id, product_id, moment, season_on_sale AS season, line
  FROM found WHERE articles = 1 AND bought AND NOT again AND NOT no_order
),
shared_orders AS (SELECT order_id FROM purchases GROUP BY order_id HAVING COUNT(*) > 1),
second_purchases AS (
  SELECT line FROM (
    SELECT p.line, ROW_NUMBER() OVER (PARTITION BY p.order_id ORDER BY p.moment, p.line) AS nth_purchase
    FROM shared_orders s JOIN purchases p ON p.order_id = s.order_id)
  WHERE nth_purchase > 1
),
orders AS (SELECT * FROM purchases p WHERE NOT EXISTS (SELECT 1 FROM second_purchases s WHERE s.line = p.line)),
last_day AS (SELECT MAX(moment) AS last_moment FROM parsed WHERE NOT sent_back),
buyers AS (SELECT customer_id, COUNT(*) AS purchases FROM found WHERE bought AND NOT again AND NOT no_number GROUP BY customer_id),
customers AS (
  SELECT c.customer_id, true AS known, COALESCE(y.purchases >= $heavy_purchases, false) AS heavy
  FROM sources.customers c LEFT JOIN buyers y ON y.customer_id = c.customer_id
),
-- In set_aside, of two conditions that both must hold the one that few rows meet stands last: the engine asks the other of
-- those rows alone, and copies them for it.
judged AS (
  SELECT t.*,
         COALESCE(o.season, t.season_on_sale) AS season,
         CASE WHEN t.first_reason IS NOT NULL THEN t.first_reason
              WHEN c.known IS NULL THEN 'unknown_customer'
              WHEN b.robot THEN 'robot'
              WHEN n.known IS NULL THEN 'unknown_product'
              WHEN t.bad_amount THEN 'bad_amount'
              WHEN NOT t.sent_back AND t.articles IS NULL THEN 'not_on_sale'
              WHEN NOT t.sent_back AND t.articles > 1 THEN 'several_on_sale'
              WHEN t.no_order AND t.bought THEN 'purchase_without_order'
              WHEN o.line <> t.line AND t.bought THEN 'order_twice'
              WHEN o.line IS NULL AND t.sent_back THEN 'return_without_order'
              WHEN (o.customer_id <> t.customer_id OR o.product_id <> t.product_id) AND t.sent_back THEN 'return_of_other'
              WHEN t.moment < o.moment AND t.sent_back THEN 'return_before_order' END AS set_aside,
         concat_ws(' ', CASE WHEN t.iso_time IS NULL THEN 'day_first_time' END,
                        CASE WHEN t.sent_back AND t.articles IS NULL THEN 'return_out_of_sale'
                             WHEN t.sent_back AND t.season_on_sale <> o.season THEN 'return_number_reassigned' END,
                        CASE WHEN t.sent_back AND t.moment > o.moment + $return_window THEN 'return_after_window' END,
                        CASE WHEN t.bought AND t.unit_price < t.list_price THEN 'paid_less'
                             WHEN t.bought AND t.unit_price > t.list_price THEN 'paid_more' END,
                        CASE WHEN c.heavy THEN 'heavy_customer' END,
                        CASE WHEN t.sent_back AND t.moment > l.last_moment THEN 'after_last_day' END) AS surprises
  FROM last_day l
  CROSS JOIN found t
  LEFT JOIN orders o ON o.order_id = t.order_id AND (t.bought OR t.sent_back)
  LEFT JOIN customers c ON c.customer_id = t.customer_id
  LEFT JOIN robots b ON b.session_id = t.session_id
  LEFT JOIN numbers n ON n.product_id = t.product_id
)
SELECT transaction_id, moment AS event_time, customer_id, product_id, season, event AS event_type, order_id,
       CASE WHEN bought OR sent_back THEN abs(pieces) END AS quantity,
       CASE WHEN bought OR sent_back THEN unit_price END AS unit_price_eur,
       CAST(CASE WHEN bought OR sent_back THEN unit_price * abs(pieces) END AS DECIMAL(14, 2)) AS amount_eur,
       session_id, COALESCE(lower(trim(channel)), 'not given') AS channel,
       line, set_aside, surprises
FROM judged
