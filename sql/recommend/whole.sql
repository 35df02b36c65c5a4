/*---
name: whole
description: |
  Of the audience those whose shelf is ranked whole: for the others `retrieved` says what of it is.
key: [customer_id, as_of]
---*/
SELECT a.customer_id, a.as_of, a.region, a.country, a.personal, a.today
FROM recommend.audience a
LEFT JOIN (SELECT DISTINCT customer_id, as_of FROM recommend.retrieved) r ON r.customer_id = a.customer_id AND r.as_of = a.as_of
WHERE r.customer_id IS NULL
