-- clean
/*---
{name: moment_on_the_left, version: 1, entity: product, owner: growth, description: moment on the left.,
 columns: {wishes: {unit: count, meaning: wishes}}}
---*/
SELECT g.product_id, g.season, g.as_of, COUNT(t.line) AS wishes
FROM grain.product g LEFT JOIN sources.transactions t
  ON g.product_id = t.product_id AND g.season = t.season AND g.as_of > t.event_time AND t.event_type = 'wishlist'
GROUP BY g.product_id, g.season, g.as_of
