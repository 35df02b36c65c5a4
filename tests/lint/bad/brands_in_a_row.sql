-- expect: unordered-pick
/*---
{name: brands_in_a_row, version: 1, entity: customer, owner: growth, description: brands in a row.,
 columns: {brands: {unit: count, meaning: brands}}}
---*/
SELECT g.customer_id, g.as_of, string_agg(p.brand, ', ') AS brands
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of
LEFT JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
GROUP BY g.customer_id, g.as_of
