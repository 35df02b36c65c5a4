/*---
name: article_appeal
version: 1
entity: product
owner: catalogue
fresh_for: 10 minutes
description: |
  How the article did in its season before this moment, each share drawn towards the whole shop's before the day of this
  moment, so that one event decides nothing: as if the article had been looked at ten times more (bought five times more),
  and those had gone as they go in the shop.
columns:
  article_purchases_60d:
    {unit: purchases, meaning: purchases of it in the 60 days before,
     reasons: [{say: "bought {value} times lately", above: 1, than_others: higher}]}
  appeal_purchase:
    {unit: share, meaning: "purchases for each look this season, drawn towards the shop's share",
     reasons: [{say: "often bought by those who look at it", than_others: higher, when: {article_purchases: {above: 1}}}]}
  appeal_wish:
    {unit: share, meaning: "wishes for each look this season, drawn towards the shop's share",
     reasons: [{say: "often put on the wish list", than_others: higher, when: {article_looks: {above: 4}}}]}
  appeal_return:
    {unit: share, meaning: "share of its purchases sent back, drawn towards the shop's share",
     reasons: [{say: "rarely sent back", than_others: lower, when: {article_purchases: {above: 4}}}]}
---*/
WITH daily AS (
  SELECT date_trunc('day', event_time) AS day,
         COUNT(*) FILTER (WHERE event_type = 'browse') AS looks, COUNT(*) FILTER (WHERE event_type = 'wishlist') AS wishes,
         COUNT(*) FILTER (WHERE event_type = 'purchase') AS purchases, COUNT(*) FILTER (WHERE first_return) AS returns
  FROM sources.transactions
  WHERE consented
  GROUP BY date_trunc('day', event_time)
),
running AS (
  SELECT day, SUM(looks) OVER w AS looks, SUM(wishes) OVER w AS wishes, SUM(purchases) OVER w AS purchases, SUM(returns) OVER w AS returns
  FROM daily
  WINDOW w AS (ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
days AS (SELECT DISTINCT date_trunc('day', as_of) AS today FROM grain.product),
shop AS (
  SELECT d.today, MAX(r.looks) AS looks, MAX(r.wishes) AS wishes, MAX(r.purchases) AS purchases, MAX(r.returns) AS returns
  FROM days d LEFT JOIN running r ON r.day < d.today
  GROUP BY d.today
),
record AS (
  SELECT g.product_id, g.season, g.as_of,
         COUNT(t.line) FILTER (WHERE t.event_type = 'browse') AS looks, COUNT(t.line) FILTER (WHERE t.event_type = 'wishlist') AS wishes,
         COUNT(t.line) FILTER (WHERE t.event_type = 'purchase') AS purchases, COUNT(t.line) FILTER (WHERE t.first_return) AS returns,
         COUNT(t.line) FILTER (WHERE t.event_type = 'purchase' AND t.event_time >= g.as_of - INTERVAL '60' DAY) AS purchases_60d
  FROM grain.product g
  LEFT JOIN sources.transactions t ON t.product_id = g.product_id AND t.season = g.season AND t.event_time < g.as_of AND t.consented
  GROUP BY g.product_id, g.season, g.as_of
)
SELECT r.product_id, r.season, r.as_of, r.purchases_60d AS article_purchases_60d,
       (CAST(r.purchases AS DOUBLE) + 10 * CAST(s.purchases AS DOUBLE) / NULLIF(s.looks, 0)) / (r.looks + 10) AS appeal_purchase,
       (CAST(r.wishes AS DOUBLE) + 10 * CAST(s.wishes AS DOUBLE) / NULLIF(s.looks, 0)) / (r.looks + 10) AS appeal_wish,
       (CAST(r.returns AS DOUBLE) + 5 * CAST(s.returns AS DOUBLE) / NULLIF(s.purchases, 0)) / (r.purchases + 5) AS appeal_return
FROM record r
LEFT JOIN shop s ON s.today = date_trunc('day', r.as_of)
