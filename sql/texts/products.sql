/*---
name: products
description: The description of every article; the reduction is fitted on those that were on sale before validation begins.
key: [product_id, season]
---*/
SELECT p.product_id, p.season, p.description AS text,
       CAST(p.on_sale_from AS TIMESTAMP) < s.validation_from AS in_training
FROM sources.products p
CROSS JOIN split.periods s
