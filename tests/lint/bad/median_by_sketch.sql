-- expect: open-float-sum
/*---
{name: median_by_sketch, version: 1, entity: customer, owner: growth, description: median by sketch.,
 columns: {mid: {unit: count, meaning: mid}}}
---*/
-- why: the approximate percentile (t-digest) depends on the order and the partitions
SELECT g.customer_id, g.as_of, approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY CAST(p.price_eur AS DOUBLE)) AS mid
FROM grain.customer g
JOIN sources.customers c ON c.customer_id = g.customer_id
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of AND c.personalisation_consent
LEFT JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
GROUP BY g.customer_id, g.as_of
