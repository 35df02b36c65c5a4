/*---
file: orders.csv
description: One line of an order.
key: [event_id]
known_from: event_time
columns: {line_no: number, order: order, at: when, customer: who, sku: article, pieces: pieces, paid: paid for one}
---*/
SELECT r.line_no AS event_id, CAST(r.at AS TIMESTAMP) AS event_time, r.customer AS customer_id, r.sku AS product_id,
       CASE WHEN CAST(r.pieces AS INT) < 0 THEN 'return' ELSE 'purchase' END AS kind, r.line
FROM raw.transactions r
