/*---
name: on_sale
description: The articles on sale at the export, in groups that a merchandiser looks at.
key: [product_id, season]
---*/
WITH on_sale AS (
  SELECT p.product_id, p.season, p.brand, p.category, p.fulfilment, p.on_sale_from,
         p.price_eur IS NOT NULL AS priced,
         NTILE(3) OVER (ORDER BY p.price_eur, p.product_id, p.season) AS third,
         CASE WHEN CAST(p.on_sale_from AS TIMESTAMP) > CAST($exported_on AS TIMESTAMP) - $new_for THEN 'new' ELSE 'known' END AS age
  FROM sources.products p
  WHERE p.on_sale_from <= $exported_on AND p.on_sale_until >= $exported_on
)
SELECT product_id, season, brand, category, fulfilment, age,
       CASE WHEN NOT priced THEN NULL WHEN third = 1 THEN 'lower third' WHEN third = 2 THEN 'middle third' ELSE 'upper third' END AS price
FROM on_sale
