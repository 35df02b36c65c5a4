-- clean
/*---
{name: purchase_window_over, version: 1, entity: customer, owner: growth, description: purchase window over.,
 columns: {looks_decided: {unit: count, meaning: looks decided}}}
---*/
-- Looks whose purchase window is over.
SELECT g.customer_id, g.as_of, COUNT(t.line) AS looks_decided
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_type = 'browse'
  AND t.event_time + $purchase_window <= g.as_of
GROUP BY g.customer_id, g.as_of
