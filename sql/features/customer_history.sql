/*---
name: customer_history
version: 3
entity: customer
owner: growth
description: |
  What the customer did before this moment, over several windows.  Counts of nothing are 0; shares and days of nothing
  are NULL.  Customers without consent have no history: everything is NULL.
columns:
  looks_30d: {unit: looks, meaning: articles looked at in the 30 days before}
  looks_1y: {unit: looks, meaning: articles looked at in the year before}
  wishes_1y: {unit: wishes, meaning: articles put on the wish list in the year before}
  purchases_1y: {unit: purchases, meaning: purchases in the year before}
  returns_1y: {unit: returns, meaning: purchases sent back in the year before}
  spend_1y: {unit: EUR, meaning: paid in the year before, driver: price}
  refunded_1y: {unit: EUR, meaning: value of what was sent back in the year before, driver: price}
  days_since_wish: {unit: days, meaning: days since the last wish}
  days_since_return: {unit: days, meaning: days since something was last sent back}
  wishes_90d: {unit: wishes, meaning: articles put on the wish list in the 90 days before}
  purchases_90d: {unit: purchases, meaning: purchases in the 90 days before}
  purchases_ever: {unit: purchases, meaning: all purchases before}
  spend_90d: {unit: EUR, meaning: paid in the 90 days before, driver: price}
  return_share: {unit: share, meaning: share of all purchases before that were sent back before}
  days_since_purchase: {unit: days, meaning: days since the last purchase}
  days_since_look: {unit: days, meaning: days since the last look}
  looks_per_purchase: {unit: looks, meaning: looks for each purchase so far}
---*/
SELECT g.customer_id, g.as_of,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) FILTER (WHERE t.event_type = 'browse' AND t.event_time >= g.as_of - INTERVAL '30' DAY) END AS looks_30d,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) FILTER (WHERE t.event_type = 'browse' AND t.event_time >= g.as_of - INTERVAL '365' DAY) END AS looks_1y,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) FILTER (WHERE t.event_type = 'wishlist' AND t.event_time >= g.as_of - INTERVAL '90' DAY) END AS wishes_90d,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) FILTER (WHERE t.event_type = 'wishlist' AND t.event_time >= g.as_of - INTERVAL '365' DAY) END AS wishes_1y,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) FILTER (WHERE t.event_type = 'purchase' AND t.event_time >= g.as_of - INTERVAL '90' DAY) END AS purchases_90d,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) FILTER (WHERE t.event_type = 'purchase' AND t.event_time >= g.as_of - INTERVAL '365' DAY) END AS purchases_1y,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) FILTER (WHERE t.event_type = 'purchase') END AS purchases_ever,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) FILTER (WHERE t.first_return AND t.event_time >= g.as_of - INTERVAL '365' DAY) END AS returns_1y,
       CASE WHEN c.personalisation_consent THEN CAST(COALESCE(SUM(t.amount_eur) FILTER (WHERE t.event_type = 'purchase' AND t.event_time >= g.as_of - INTERVAL '90' DAY), 0) AS DOUBLE) END AS spend_90d,
       CASE WHEN c.personalisation_consent THEN CAST(COALESCE(SUM(t.amount_eur) FILTER (WHERE t.event_type = 'purchase' AND t.event_time >= g.as_of - INTERVAL '365' DAY), 0) AS DOUBLE) END AS spend_1y,
       CASE WHEN c.personalisation_consent THEN CAST(COALESCE(SUM(t.amount_eur) FILTER (WHERE t.event_type = 'return' AND t.event_time >= g.as_of - INTERVAL '365' DAY), 0) AS DOUBLE) END AS refunded_1y,
       CAST(COUNT(t.line) FILTER (WHERE t.first_return) AS DOUBLE)
         / NULLIF(COUNT(t.line) FILTER (WHERE t.event_type = 'purchase'), 0) AS return_share,
       (date_part('epoch', g.as_of) - date_part('epoch', MAX(t.event_time) FILTER (WHERE t.event_type = 'purchase'))) / 86400 AS days_since_purchase,
       (date_part('epoch', g.as_of) - date_part('epoch', MAX(t.event_time) FILTER (WHERE t.event_type = 'browse'))) / 86400 AS days_since_look,
       (date_part('epoch', g.as_of) - date_part('epoch', MAX(t.event_time) FILTER (WHERE t.event_type = 'wishlist'))) / 86400 AS days_since_wish,
       (date_part('epoch', g.as_of) - date_part('epoch', MAX(t.event_time) FILTER (WHERE t.event_type = 'return'))) / 86400 AS days_since_return,
       CAST(COUNT(t.line) FILTER (WHERE t.event_type = 'browse') AS DOUBLE)
         / NULLIF(COUNT(t.line) FILTER (WHERE t.event_type = 'purchase'), 0) AS looks_per_purchase
FROM grain.customer g
JOIN sources.customers c ON c.customer_id = g.customer_id
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of AND c.personalisation_consent
GROUP BY g.customer_id, g.as_of, c.personalisation_consent
