-- clean
/*---
{name: moments_of_the_week_before, version: 1, entity: product, owner: growth, description: moments of the week before.,
 columns: {moments_week: {unit: count, meaning: moments week}}}
---*/
SELECT product_id, season, as_of,
       COUNT(*) OVER (PARTITION BY product_id, season ORDER BY as_of
                      RANGE BETWEEN INTERVAL '7' DAY PRECEDING AND INTERVAL '1' SECOND PRECEDING) AS moments_week
FROM grain.product
