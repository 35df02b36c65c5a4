/*---
name: events
file: events.csv
description: Something a customer did in the shop.
key: [line]
columns: {customer_id: who, product_id: what, event_time: when, event_type: browse wishlist purchase or return, paid_cents: paid}
set_aside: {}
surprises: {}
---*/
SELECT CAST(customer_id AS BIGINT) AS customer_id, CAST(event_time AS TIMESTAMP) AS event_time, event_type, CAST(paid_cents AS BIGINT) AS paid_cents, line, CAST(NULL AS TEXT) AS set_aside, '' AS surprises FROM raw.events
