/*---
name: article_record
version: 2
entity: product
owner: catalogue
fresh_for: 10 minutes
description: How the article did in its season before this moment, with customers who agreed to personalisation.  Shares are NULL until there is something to share.
columns:
  article_looks_30d:
    {unit: looks, meaning: looks at it in the 30 days before,
     reasons: [{say: "looked at {value} times lately", above: 4, than_others: higher}]}
  article_looks: {unit: looks, meaning: looks at it this season}
  article_wish_share:
    {unit: share, meaning: wishes for each look this season,
     reasons: [{say: "often put on the wish list", above: 0.1, than_others: higher, when: {article_looks: {above: 9}}}]}
  article_purchases:
    {unit: purchases, meaning: purchases of it this season, popularity: true,
     reasons: [{say: "bought {value} times this season", above: 1, than_others: higher}]}
  article_purchase_share:
    {unit: share, meaning: purchases for each look this season,
     reasons: [{say: "often bought by those who look at it", above: 0.2, than_others: higher, when: {article_looks: {above: 9}}}]}
  article_return_share:
    {unit: share, meaning: share of its purchases sent back so far,
     reasons: [{say: "rarely sent back", below: 0.1, than_others: lower, when: {article_purchases: {above: 4}}}]}
---*/
SELECT g.product_id, g.season, g.as_of,
       COUNT(t.line) FILTER (WHERE t.event_type = 'browse' AND t.event_time >= g.as_of - INTERVAL '30' DAY) AS article_looks_30d,
       COUNT(t.line) FILTER (WHERE t.event_type = 'browse') AS article_looks,
       CAST(COUNT(t.line) FILTER (WHERE t.event_type = 'wishlist') AS DOUBLE)
         / NULLIF(COUNT(t.line) FILTER (WHERE t.event_type = 'browse'), 0) AS article_wish_share,
       COUNT(t.line) FILTER (WHERE t.event_type = 'purchase') AS article_purchases,
       CAST(COUNT(t.line) FILTER (WHERE t.event_type = 'purchase') AS DOUBLE)
         / NULLIF(COUNT(t.line) FILTER (WHERE t.event_type = 'browse'), 0) AS article_purchase_share,
       CAST(COUNT(t.line) FILTER (WHERE t.first_return) AS DOUBLE)
         / NULLIF(COUNT(t.line) FILTER (WHERE t.event_type = 'purchase'), 0) AS article_return_share
FROM grain.product g
LEFT JOIN sources.transactions t ON t.product_id = g.product_id AND t.season = g.season AND t.event_time < g.as_of AND t.consented
GROUP BY g.product_id, g.season, g.as_of
