/*---
name: also_bought
description: |
  The list to compare with, "others also bought": for each customer the articles that were bought most often by others
  who bought what they bought, on sale and shippable; what is popular in the region fills it up.
key: [customer_id, rank]
---*/
WITH ordered AS (
  SELECT customer_id, product_id, season, also_bought AS customers,
         ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY also_bought DESC, popular DESC, product_id, season) AS rank
  FROM recommend.baselines
)
SELECT customer_id, rank, product_id, season, customers FROM ordered WHERE rank <= $per_customer
