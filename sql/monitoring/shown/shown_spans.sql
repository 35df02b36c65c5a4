/*---
name: shown_spans
description: The days that what was shown is compared between - those watched, those before, the same days a year earlier, and the last four seasons that the log holds.
key: [span, shown_on]
---*/
WITH logged AS (SELECT DISTINCT shown_on FROM monitoring.article_days),
compared AS (
  SELECT MIN(shown_on) AS first_day, MIN(shown_on) FILTER (WHERE period = 'watched') AS watched_from, MAX(shown_on) AS watched_until FROM monitoring.days
),
-- Seasons begin with December, March, June and September: a month later they are quarters.
seasons AS (
  SELECT l.shown_on, date_trunc('quarter', l.shown_on + INTERVAL '1' MONTH) AS quarter, date_trunc('quarter', c.first_day + INTERVAL '1' MONTH) AS current
  FROM logged l CROSS JOIN compared c
),
named AS (
  SELECT shown_on, CAST(date_part('year', quarter) AS INT) AS year, CAST(date_part('quarter', quarter) AS INT) AS part,
         DENSE_RANK() OVER (ORDER BY quarter DESC) AS back
  FROM seasons WHERE quarter < current
)
SELECT period AS span, CASE period WHEN 'watched' THEN 0 ELSE 1 END AS place, shown_on FROM monitoring.days
UNION ALL
SELECT 'a year earlier', 2, l.shown_on
FROM logged l CROSS JOIN compared c
WHERE l.shown_on >= CAST(c.watched_from - INTERVAL '1' YEAR AS DATE) AND l.shown_on <= CAST(c.watched_until - INTERVAL '1' YEAR AS DATE)
UNION ALL
SELECT CASE part WHEN 1 THEN concat('winter ', year - 1, '/', year) WHEN 2 THEN concat('spring ', year) WHEN 3 THEN concat('summer ', year)
                 ELSE concat('autumn ', year) END, CAST(2 + back AS BIGINT), shown_on
FROM named WHERE back <= 4
