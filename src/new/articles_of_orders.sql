/*---
file: {{file}}
derived: true
description: One article, as the order lines tell; on sale since it was first sold.
key: [product_id]
known_from: on_sale_from
encoding: {{encoding}}
---*/
SELECT identifier(r.{{article}}) AS product_id,{{attributes}} MIN(CAST({{time_expression}} AS DATE)) AS on_sale_from, MIN(r.line) AS line
FROM raw.products r
WHERE identifier(r.{{article}}) IS NOT NULL AND {{time_expression}} IS NOT NULL
GROUP BY identifier(r.{{article}})
