-- expect: unordered-pick
/*---
{name: row_number_of_nothing, version: 1, entity: customer_product, owner: growth, description: row number of nothing.,
 columns: {nth_of_moment: {unit: count, meaning: nth of moment}}}
---*/
SELECT customer_id, product_id, season, as_of, ROW_NUMBER() OVER (PARTITION BY customer_id, as_of) AS nth_of_moment
FROM grain.customer_product
