/*---
name: audience
description: How many customers are served from what, and why.
key: [basis, why]
---*/
SELECT CASE WHEN a.personal AND r.basis = 'personal' THEN 'personal' ELSE 'popular in the region' END AS basis,
       CASE WHEN NOT c.personalisation_consent THEN 'no consent'
            WHEN NOT a.personal THEN 'consent, but nothing done yet'
            WHEN r.basis = 'personal' THEN 'consent and something done before'
            ELSE 'there is no model yet' END AS why,
       COUNT(*) AS customers
FROM recommend.audience a
JOIN sources.customers c ON c.customer_id = a.customer_id
LEFT JOIN recommendations r ON r.customer_id = a.customer_id AND r.rank = 1
GROUP BY 1, 2
