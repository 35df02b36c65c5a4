/*---
name: same_for_all
description: Everybody is shown the same; something that tells customers apart went missing.
severity: error
---*/
WITH firsts AS (
  SELECT product_id, season, COUNT(*) AS customers FROM candidate.recommendations WHERE rank = 1 AND basis = 'personal'
  GROUP BY product_id, season
),
everybody AS (SELECT SUM(customers) AS customers, MAX(customers) AS most FROM firsts)
SELECT concat(most, ' of ', customers, ' personal lists begin with the same article') AS because
FROM everybody
WHERE customers >= 20 AND most > $gate_same_first * customers
