-- expect: no-time-bound
/*---
{name: day_an_hour_earlier, version: 1, entity: product, owner: growth, description: day an hour earlier.,
 columns: {n: {unit: count, meaning: n}}}
---*/
-- the start of the day, an hour before
SELECT g.product_id, g.season, g.as_of, COUNT(t.line) AS n
FROM grain.product g
LEFT JOIN sources.transactions t ON t.product_id = g.product_id AND t.season = g.season
      AND date_trunc('day', t.event_time) - INTERVAL '1' HOUR < g.as_of - INTERVAL '2' HOUR
GROUP BY g.product_id, g.season, g.as_of
