/*---
file: articles.csv
description: One article.
key: [product_id]
columns: {sku: number, name: name, department: department, price: list price}
---*/
SELECT sku AS product_id, line FROM raw.products
