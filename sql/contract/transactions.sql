/*---
description: "Something a customer did: browse (a look), wishlist, purchase or return."
key: [transaction_id]
consent: consented
keys: [robot_looks, robot_seconds_per_look, heavy_purchases]
columns:
  transaction_id: {need: must, also: [event_id], meaning: names the row}
  event_time: {need: must, meaning: "when, in UTC"}
  customer_id: {need: must, meaning: who}
  product_id: {need: must, meaning: which article}
  event_type: {need: must, also: [kind], meaning: "browse, wishlist, purchase or return"}
  season: {need: may, shared: true, without: one catalogue}
  order_id: {need: should, also: ["order"], without: "a return cannot be told from which purchase it is, so what was bought counts as kept"}
  quantity: {need: may, also: [pieces], without: every purchase and return is of one piece}
  unit_price_eur: {need: may, also: [unit_price, paid], without: what was paid is not known}
  session_id: {need: may, without: a visit is a day}
  channel: {need: may, without: nothing is said of channels}
kinds:
  browse: {need: should, without: "purchases stand for looks: a moment of choice is a purchase, and the lists are judged by what is bought next"}
  wishlist: {need: may, without: nothing is said of wishes}
  purchase: {need: must, meaning: what was bought}
  return: {need: may, without: what was bought counts as kept}
---*/
WITH joined AS (
  SELECT mapped.*, CAST(NULL AS VARCHAR) AS transaction_id, CAST(NULL AS VARCHAR) AS event_type, 'all' AS season, CAST(NULL AS VARCHAR) AS order_id,
         CAST(NULL AS DECIMAL(12, 2)) AS unit_price_eur, CAST(1 AS INT) AS quantity, CAST(NULL AS VARCHAR) AS session_id, CAST(NULL AS VARCHAR) AS channel,
         COALESCE(c.personalisation_consent, false) AS consented, CAST(NULL AS VARCHAR) AS set_aside, '' AS surprises
  FROM mapped LEFT JOIN sources.customers c ON c.customer_id = mapped.customer_id
),
-- Of the parts in which a purchase came back, the first.
first_returns AS (
  SELECT first_value(line ORDER BY event_time, line) AS _line FROM joined
  WHERE event_type = 'return' GROUP BY COALESCE(order_id, transaction_id), product_id
),
shop AS (SELECT MAX(CASE WHEN event_type = 'browse' THEN 1 ELSE 0 END) AS _looks FROM joined)
SELECT joined.*, CAST(joined.unit_price_eur * joined.quantity AS DECIMAL(14, 2)) AS amount_eur, f._line IS NOT NULL AS first_return,
       -- Where nobody ever looked, a purchase is what a look is elsewhere: the moment of a choice.
       CASE WHEN shop._looks = 0 AND joined.event_type = 'purchase' THEN 'browse' ELSE joined.event_type END AS stands_for
FROM joined CROSS JOIN shop LEFT JOIN first_returns f ON f._line = joined.line
