/*---
name: shown_without_consent
description: The production log shows recommendations to a customer who has not agreed to personalisation.
severity: warn
---*/
SELECT r.recommendation_id, r.customer_id, r.model_version
FROM sources.recommendations r
JOIN sources.customers c ON c.customer_id = r.customer_id
WHERE NOT c.personalisation_consent
