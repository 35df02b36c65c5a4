/*---
name: audience
description: How many customers are served from what, and why.
key: [basis, why]
---*/
WITH active AS (SELECT DISTINCT customer_id, true AS active FROM sources.transactions WHERE event_time < $exported_at)
SELECT COALESCE(r.basis, 'none') AS basis,
       CASE WHEN r.basis IS NULL THEN 'owns all that is on sale and can be sent there'
            WHEN NOT a.personal THEN 'no consent: what they did is not used'
            WHEN r.basis <> 'personal' THEN 'consent, but no ranking leads popularity here yet'
            WHEN t.active THEN 'from what they told us and did'
            ELSE 'from what they told us; they have done nothing yet' END AS why,
       COUNT(*) AS customers
FROM recommend.audience a
LEFT JOIN active t ON t.customer_id = a.customer_id
LEFT JOIN recommendations r ON r.customer_id = a.customer_id AND r.rank = 1
GROUP BY 1, 2
