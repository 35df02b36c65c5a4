/*---
file: {{file}}
description: One line of an order; {{returns_in_words}}.
key: [transaction_id]
known_from: event_time
encoding: {{encoding}}
columns:
{{columns}}
set_aside:
  late_copy: {found: the whole row is repeated, done: "the first row is kept, the copies are set aside"}
  no_time: {column: {{time}}, found: no readable time, done: set aside}
  after_export: {column: {{time}}, found: a time after the export was taken, done: set aside}
  no_customer: {column: {{customer}}, found: no customer, done: "set aside: nobody's behaviour can be learned from it"}
  no_article: {column: {{article}}, found: no article, done: set aside}
  no_pieces: {found: "no whole number of pieces, or none", done: set aside}
  unclear_price: {found: "a price that can be read in two ways, such as 1,299", done: set aside}
  order_twice: {column: {{article}}, found: a second purchase of the article in one order, done: "the first is kept, the others are set aside"}
  unknown_kind: {found: "a kind of row that is neither look, wish, purchase nor return", done: set aside}
surprises:
  return_of_nothing: {column: {{article}}, found: a return of something that its customer is not known to have bought, done: kept; it undoes no purchase}
---*/
WITH written AS (
  SELECT r.line, identifier(r.{{customer}}) AS customer_id, identifier(r.{{article}}) AS product_id, {{order_expression}} AS own_order,
         {{time_expression}} AS event_time, {{pieces_expression}} AS pieces, {{price_expression}} AS price, {{price_spelling}} AS price_spelling,
         ROW_NUMBER() OVER (PARTITION BY {{all_columns}} ORDER BY r.line) AS nth_copy,
         {{kind_expression}} AS written_kind
  FROM raw.transactions r
),
typed AS (
  SELECT w.*, CASE WHEN w.written_kind IN ('purchase', 'order', 'buy', 'sale') AND w.pieces < 0 THEN 'return'
                   WHEN w.written_kind IN ('purchase', 'order', 'buy', 'sale') THEN 'purchase'
                   WHEN w.written_kind IN ('return', 'refund') THEN 'return'
                   WHEN w.written_kind IN ('browse', 'view', 'look', 'click') THEN 'browse'
                   WHEN w.written_kind IN ('wishlist', 'wish', 'cart') THEN 'wishlist' END AS event_type
  FROM written w
),
-- A return belongs to the purchase of its own order, else to the last one of this article by this customer before it.
bought AS (
  SELECT t.*,
         ROW_NUMBER() OVER (PARTITION BY t.customer_id, t.product_id, t.own_order, t.event_type ORDER BY t.event_time, t.line) AS nth,
         MAX(CASE WHEN t.event_type = 'purchase' THEN 1 END) OVER (PARTITION BY t.customer_id, t.product_id, t.own_order) AS in_own_order,
         last_value(CASE WHEN t.event_type = 'purchase' THEN t.own_order END) IGNORE NULLS OVER (
           PARTITION BY t.customer_id, t.product_id ORDER BY t.event_time, t.line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS last_order
  FROM typed t
)
SELECT CAST(line AS VARCHAR) AS transaction_id, event_time, customer_id, product_id, event_type,
       CASE WHEN event_type <> 'return' OR in_own_order = 1 THEN own_order ELSE last_order END AS order_id,
       CAST(abs(pieces) AS INT) AS quantity, price AS unit_price_eur,{{looked}} line,
       CASE WHEN nth_copy > 1 THEN 'late_copy'
            WHEN event_time IS NULL THEN 'no_time'
            WHEN event_time > $exported_at THEN 'after_export'
            WHEN customer_id IS NULL THEN 'no_customer'
            WHEN product_id IS NULL THEN 'no_article'
            WHEN event_type IS NULL THEN 'unknown_kind'
            WHEN price_spelling = 'unclear' THEN 'unclear_price'
            WHEN pieces IS NULL OR pieces = 0 THEN 'no_pieces'
            WHEN event_type = 'purchase' AND nth > 1 THEN 'order_twice' END AS set_aside,
       CASE WHEN event_type = 'return' AND in_own_order IS NULL AND last_order IS NULL THEN 'return_of_nothing' ELSE '' END AS surprises
FROM bought
