-- expect: whole-table-aggregate
/*---
{name: popularity_of_all_time, version: 1, entity: product, owner: growth, description: popularity of all time.,
 columns: {popularity: {unit: count, meaning: popularity}}}
---*/
WITH counts AS (SELECT product_id, season, COUNT(*) AS looks FROM sources.transactions WHERE event_type = 'browse' GROUP BY product_id, season)
SELECT g.product_id, g.season, g.as_of, COALESCE(c.looks, 0) AS popularity
FROM grain.product g LEFT JOIN counts c ON c.product_id = g.product_id AND c.season = g.season
