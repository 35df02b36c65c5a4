-- expect: time-bound-not-strict
/*---
{name: channel_of_the_look, version: 1, entity: customer, owner: growth, description: channel of the look.,
 columns: {channel_now: {unit: count, meaning: channel now}}}
---*/
SELECT g.customer_id, g.as_of, MAX(t.channel) AS channel_now
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time = g.as_of
GROUP BY g.customer_id, g.as_of
