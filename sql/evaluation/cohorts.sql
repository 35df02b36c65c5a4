/*---
name: cohorts
description: |
  Which test looks belong together, so that the models can be judged on each group by itself: how much the customer and
  the article had behind them, and who the customer is.  `place` orders the groups of a cohort.
key: [cohort, place, members, customer_id, product_id, season, as_of]
---*/
WITH test AS (
  SELECT p.customer_id, p.product_id, p.season, p.as_of, f.article_looks,
         CAST(a.on_sale_from AS TIMESTAMP) > p.as_of - $new_for AS new,
         c.personalisation_consent, c.age_group, c.region, c.sustainability_preference, c.price_band
  FROM predictions p
  JOIN frame f ON f.customer_id = p.customer_id AND f.product_id = p.product_id AND f.season = p.season AND f.as_of = p.as_of
  JOIN sources.customers c ON c.customer_id = p.customer_id
  JOIN sources.products a ON a.product_id = p.product_id AND a.season = p.season
  WHERE p.split = 'test'
),
moments AS (SELECT DISTINCT customer_id, as_of FROM test),
before AS (
  SELECT m.customer_id, m.as_of, COUNT(t.line) AS events
  FROM moments m
  LEFT JOIN sources.transactions t ON t.customer_id = m.customer_id AND t.event_time < m.as_of
  GROUP BY m.customer_id, m.as_of
),
experience AS (
  SELECT t.*,
         CASE WHEN NOT t.personalisation_consent THEN -1 WHEN b.events < 3 THEN b.events
              WHEN b.events < 5 THEN 3 WHEN b.events < 10 THEN 5 ELSE 10 END AS events,
         CASE WHEN t.article_looks < 5 THEN 0 WHEN t.article_looks < 10 THEN 5 WHEN t.article_looks < 20 THEN 10 ELSE 20 END AS looks
  FROM test t
  JOIN before b ON b.customer_id = t.customer_id AND b.as_of = t.as_of
),
long AS (
  SELECT 'what the customer did before' AS cohort, events AS place,
         CASE events WHEN -1 THEN 'no consent' WHEN 0 THEN 'nothing' WHEN 1 THEN '1 event' WHEN 2 THEN '2 events'
                     WHEN 3 THEN '3 or 4 events' WHEN 5 THEN '5 to 9 events' ELSE '10 events or more' END AS members,
         customer_id, product_id, season, as_of
  FROM experience
  UNION ALL
  SELECT 'looks at the article before', looks,
         CASE looks WHEN 0 THEN 'hardly looked at: fewer than 5' WHEN 5 THEN '5 to 9' WHEN 10 THEN '10 to 19' ELSE '20 or more' END,
         customer_id, product_id, season, as_of
  FROM experience
  UNION ALL
  SELECT 'new articles against known', CASE WHEN new THEN 0 ELSE 1 END,
         CASE WHEN new THEN 'new, as in the lists' ELSE 'known' END, customer_id, product_id, season, as_of
  FROM test
  UNION ALL SELECT 'age group', 0, age_group, customer_id, product_id, season, as_of FROM test WHERE age_group IS NOT NULL
  UNION ALL SELECT 'region', 0, region, customer_id, product_id, season, as_of FROM test WHERE region IS NOT NULL
  UNION ALL SELECT 'sustainability preference', 0, sustainability_preference, customer_id, product_id, season, as_of FROM test WHERE sustainability_preference IS NOT NULL
  UNION ALL SELECT 'price band', 0, price_band, customer_id, product_id, season, as_of FROM test WHERE price_band IS NOT NULL
  -- Not all of these outcomes are known, so they say nothing of how good a model is; other tools count this way.
  UNION ALL
  SELECT 'counted without waiting', 0, 'every look since testing began, open outcomes as they stand',
         p.customer_id, p.product_id, p.season, p.as_of
  FROM predictions p
  CROSS JOIN split.periods s
  WHERE p.as_of >= s.test_from
)
SELECT cohort, place, COALESCE(members, 'not given') AS members, customer_id, product_id, season, as_of
FROM long
