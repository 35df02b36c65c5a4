/*---
name: shares_in_range
description: A share or a likeness lies outside of what it can be.
severity: error
---*/
SELECT customer_id, product_id, season, as_of, category_look_share, category_bought_share, taste_match, taste_match_bought
FROM frame
WHERE category_look_share NOT BETWEEN 0 AND 1 OR category_bought_share NOT BETWEEN 0 AND 1
   OR taste_match NOT BETWEEN -1.000001 AND 1.000001 OR taste_match_bought NOT BETWEEN -1.000001 AND 1.000001
