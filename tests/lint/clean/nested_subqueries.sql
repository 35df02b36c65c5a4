-- clean
/*---
{name: nested_subqueries, version: 1, entity: customer, owner: growth, description: nested subqueries.,
 columns: {kept_share_n: {unit: count, meaning: kept share n}}}
---*/
SELECT g.customer_id, g.as_of, x.kept_share_n
FROM grain.customer g
LEFT JOIN (
  SELECT customer_id, as_of, CAST(bought - returned AS DOUBLE) / NULLIF(bought, 0) AS kept_share_n
  FROM (
    SELECT g.customer_id, g.as_of,
           COUNT(*) FILTER (WHERE t.event_type = 'purchase') AS bought,
           COUNT(*) FILTER (WHERE t.event_type = 'return') AS returned
    FROM grain.customer g INNER JOIN sources.transactions t ON t.customer_id = g.customer_id
    WHERE t.event_time < g.as_of
    GROUP BY g.customer_id, g.as_of
  ) counts
) x ON x.customer_id = g.customer_id AND x.as_of = g.as_of
