/*---
name: maturity
description: How much of each day's truth is in, for the whole shop.
key: [metric, shown_on]
---*/
SELECT metric, shown_on, shown, confirmed, pending, CAST(confirmed AS DOUBLE) / shown AS confirmed_share
FROM monitoring.daily
WHERE segment_column = 'shop'
