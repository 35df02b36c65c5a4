-- expect: frame-touches-peers
/*---
{name: running_with_current_row, version: 1, entity: product, owner: growth, description: running with current row.,
 columns: {looks_week: {unit: count, meaning: looks week}}}
---*/
SELECT product_id, season, as_of,
       COUNT(*) OVER (PARTITION BY product_id, season ORDER BY as_of
                      RANGE BETWEEN INTERVAL '7' DAY PRECEDING AND CURRENT ROW) AS looks_week
FROM grain.product
