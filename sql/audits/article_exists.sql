/*---
name: article_exists
description: An event that was kept names an article that is not in the catalogue.
severity: error
---*/
SELECT t.transaction_id, t.product_id, t.season
FROM sources.transactions t
LEFT JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
WHERE p.product_id IS NULL
