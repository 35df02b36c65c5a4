/*---
name: by_group
description: How many places in the lists each group of articles has, beside how many articles of the catalogue it is.
key: [kind, value]
---*/
WITH groups AS (
  SELECT list, 'novelty' AS kind, age AS value FROM exposure.lists
  UNION ALL SELECT 'catalogue', 'novelty', age FROM exposure.on_sale
  UNION ALL SELECT list, 'price', price FROM exposure.lists
  UNION ALL SELECT 'catalogue', 'price', price FROM exposure.on_sale
  UNION ALL SELECT list, 'shipped by', fulfilment FROM exposure.lists
  UNION ALL SELECT 'catalogue', 'shipped by', fulfilment FROM exposure.on_sale
  UNION ALL SELECT list, 'category', category FROM exposure.lists
  UNION ALL SELECT 'catalogue', 'category', category FROM exposure.on_sale
  UNION ALL SELECT list, 'brand', brand FROM exposure.lists
  UNION ALL SELECT 'catalogue', 'brand', brand FROM exposure.on_sale
),
counts AS (
  SELECT kind, value,
         COUNT(*) FILTER (WHERE list = 'catalogue') AS articles,
         COUNT(*) FILTER (WHERE list = 'ours') AS ours,
         COUNT(*) FILTER (WHERE list = 'old') AS old
  FROM groups GROUP BY kind, value
)
SELECT kind, COALESCE(value, 'not given') AS value, articles, ours, old,
       CAST(articles AS DOUBLE) / SUM(articles) OVER (PARTITION BY kind) AS catalogue_share,
       CAST(ours AS DOUBLE) / SUM(ours) OVER (PARTITION BY kind) AS ours_share,
       CAST(old AS DOUBLE) / SUM(old) OVER (PARTITION BY kind) AS old_share
FROM counts
-- Of what nobody is told of any article there are no groups.
WHERE kind IN (SELECT kind FROM counts WHERE value IS NOT NULL)
