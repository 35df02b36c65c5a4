-- clean
/*---
{name: consent_decides, version: 1, entity: customer, owner: growth, description: consent decides.,
 columns: {looks_with_consent: {unit: count, meaning: looks with consent}}}
---*/
SELECT g.customer_id, g.as_of,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) END AS looks_with_consent
FROM grain.customer g
JOIN sources.customers c ON c.customer_id = g.customer_id
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of AND c.personalisation_consent
GROUP BY g.customer_id, g.as_of, c.personalisation_consent
