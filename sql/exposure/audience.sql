/*---
name: audience
description: How many customers are served from what, and why.
key: [basis, why]
---*/
SELECT COALESCE(r.basis, 'none') AS basis,
       CASE WHEN r.basis IS NULL THEN 'owns all that is on sale and can be sent there'
            WHEN NOT c.personalisation_consent THEN 'no consent: what they did is not used'
            WHEN NOT a.personal THEN 'consent, but nothing done yet'
            WHEN r.basis = 'personal' THEN 'consent and something done before'
            ELSE 'there is no model yet' END AS why,
       COUNT(*) AS customers
FROM recommend.audience a
JOIN sources.customers c ON c.customer_id = a.customer_id
LEFT JOIN recommendations r ON r.customer_id = a.customer_id AND r.rank = 1
GROUP BY 1, 2
