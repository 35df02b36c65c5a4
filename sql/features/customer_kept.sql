/*---
name: customer_kept
version: 2
entity: customer
owner: growth
description: |
  What became of the customer's purchases, as far as it was known before this moment.  A purchase is kept once the return
  window has passed without a return; younger ones are still open and count for neither side.  Shares and means of
  nothing are NULL, sums of nothing are 0.  Customers without consent have no history: everything is NULL.
columns:
  kept_share: {unit: share, meaning: share of the purchases older than the return window that were not sent back}
  kept_spend_1y: {unit: EUR, meaning: "paid for purchases of the year before that had not been sent back", driver: price}
  mean_price_bought: {unit: EUR, meaning: mean price of a piece bought before, driver: price}
---*/
WITH orders AS (
  SELECT g.customer_id, g.as_of, p.event_time, p.amount_eur, p.unit_price_eur, COUNT(r.line) > 0 AS sent_back
  FROM grain.customer g
  JOIN sources.customers c ON c.customer_id = g.customer_id AND c.personalisation_consent
  JOIN sources.transactions p ON p.customer_id = g.customer_id AND p.event_type = 'purchase' AND p.event_time < g.as_of
  LEFT JOIN sources.transactions r ON r.order_id = p.order_id AND r.product_id = p.product_id AND r.event_type = 'return' AND r.event_time < g.as_of
  GROUP BY g.customer_id, g.as_of, p.transaction_id, p.event_time, p.amount_eur, p.unit_price_eur
)
SELECT g.customer_id, g.as_of,
       CAST(COUNT(o.event_time) FILTER (WHERE o.event_time + $return_window < g.as_of AND NOT o.sent_back) AS DOUBLE)
         / NULLIF(COUNT(o.event_time) FILTER (WHERE o.event_time + $return_window < g.as_of), 0) AS kept_share,
       CASE WHEN c.personalisation_consent
            THEN CAST(COALESCE(SUM(o.amount_eur) FILTER (WHERE o.event_time >= g.as_of - INTERVAL '365' DAY AND NOT o.sent_back), 0) AS DOUBLE) END AS kept_spend_1y,
       CAST(AVG(o.unit_price_eur) AS DOUBLE) AS mean_price_bought
FROM grain.customer g
JOIN sources.customers c ON c.customer_id = g.customer_id
LEFT JOIN orders o ON o.customer_id = g.customer_id AND o.as_of = g.as_of
GROUP BY g.customer_id, g.as_of, c.personalisation_consent
