-- expect: window-looks-ahead
/*---
{name: sum_written_backwards, version: 1, entity: product, owner: growth, description: sum written backwards.,
 columns: {looks_running: {unit: count, meaning: looks running}}}
---*/
SELECT product_id, season, as_of,
       COUNT(*) OVER (PARTITION BY product_id, season ORDER BY as_of DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS looks_running
FROM grain.product
