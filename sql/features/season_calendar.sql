/*---
name: season_calendar
version: 2
entity: product
owner: catalogue
description: |
  Where this moment lies in the year, on the shop's clock, and in the article's own season.  The days of sale are planned
  ahead, so they are known before; nothing here is anybody's behaviour.
columns:
  time_of_year: {unit: category, meaning: "winter (December to February), spring, summer or autumn on the shop's clock"}
  season_progress: {unit: share, meaning: "how much of its time on sale has gone: 0 on the first day, 1 after the last"}
  tagged_now: {unit: yes or no, meaning: "whether its tags name the half of the year it is now (winter: October to March), or say evergreen or transitional; NULL without tags", driver: style}
---*/
WITH dated AS (
  SELECT g.product_id, g.season, g.as_of, lower(p.season_tags) AS tags,
         date_part('month', g.as_of AT TIME ZONE 'UTC' AT TIME ZONE $timezone) AS month,
         CASE WHEN p.has_beginning AND p.has_end THEN (date_part('epoch', g.as_of) - date_part('epoch', CAST(p.on_sale_from AS TIMESTAMP)))
           / (date_part('epoch', CAST(p.on_sale_until AS TIMESTAMP)) + 86400 - date_part('epoch', CAST(p.on_sale_from AS TIMESTAMP))) END AS progress
  FROM grain.product g
  JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
)
SELECT product_id, season, as_of,
       CASE WHEN month IN (12, 1, 2) THEN 'winter' WHEN month <= 5 THEN 'spring' WHEN month <= 8 THEN 'summer' ELSE 'autumn' END AS time_of_year,
       CASE WHEN progress IS NOT NULL THEN LEAST(1.0, GREATEST(0.0, progress)) END AS season_progress,
       tags LIKE '%evergreen%' OR tags LIKE '%transitional%'
         OR tags LIKE CASE WHEN month BETWEEN 4 AND 9 THEN '%summer%' ELSE '%winter%' END AS tagged_now
FROM dated
