/*---
name: collections
description: Each collection (the articles of one season), when it came into the shop, and the collection of the same time of year before it.
key: [season]
---*/
WITH all_of_them AS (
  SELECT season, COUNT(*) AS articles, MIN(on_sale_from) FILTER (WHERE has_beginning) AS launched_on, MAX(on_sale_until) FILTER (WHERE has_end) AS ends_on
  FROM sources.products GROUP BY season
),
-- A year earlier, give or take two months; the nearest to a year where there are several.
earlier AS (
  SELECT c.season, p.season AS previous, p.launched_on AS previous_launched_on,
         ROW_NUMBER() OVER (PARTITION BY c.season ORDER BY abs(CAST(c.launched_on AS INT) - CAST(p.launched_on AS INT) - 365), p.season) AS place
  FROM all_of_them c
  JOIN all_of_them p ON CAST(c.launched_on AS INT) - CAST(p.launched_on AS INT) BETWEEN 305 AND 425
),
compared AS (SELECT MIN(shown_on) AS first_day, MAX(shown_on) AS last_day FROM monitoring.days)
SELECT c.season, c.articles, c.launched_on, c.ends_on, e.previous, e.previous_launched_on,
       c.launched_on > d.first_day AND c.launched_on <= d.last_day AS launched_in_between
FROM all_of_them c
CROSS JOIN compared d
LEFT JOIN earlier e ON e.season = c.season AND e.place = 1
