/*---
name: shown_not_shippable
description: The production log shows an article that cannot be sent to the customer's country.
severity: warn
---*/
SELECT r.recommendation_id, r.customer_id, r.product_id, r.season, p.ships_to, c.country
FROM sources.recommendations r
JOIN sources.customers c ON c.customer_id = r.customer_id
JOIN sources.products p ON p.product_id = r.product_id AND p.season = r.season
WHERE NOT concat(';', replace(p.ships_to, ' ', ''), ';') LIKE concat('%;', c.country, ';%')
