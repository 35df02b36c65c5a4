/*---
name: visit
version: 1
entity: customer
owner: growth
description: Where in a visit, and when on the shop's clock, this moment is.
columns:
  looks_before_in_hour: {unit: looks, meaning: articles looked at in the hour before}
  wishes_before_in_hour: {unit: wishes, meaning: articles put on the wish list in the hour before}
---*/
SELECT g.customer_id, g.as_of,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) FILTER (WHERE t.event_type = 'browse') END AS looks_before_in_hour,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) FILTER (WHERE t.event_type = 'wishlist') END AS wishes_before_in_hour
FROM grain.customer g
JOIN sources.customers c ON c.customer_id = g.customer_id
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND c.personalisation_consent
                                AND t.event_time < g.as_of AND t.event_time >= g.as_of - INTERVAL '1' HOUR
GROUP BY g.customer_id, g.as_of, c.personalisation_consent
