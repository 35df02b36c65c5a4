/*---
name: choices
description: |
  For each customer and day of the test period on which they bought something that they kept: every article that was on
  sale that day and may be sent to them, as it stood when the day began (in UTC), and whether it is what they bought.  Of so many customers and days, drawn by lot, that these are two million rows at most.
key: [customer_id, as_of, product_id, season]
---*/
WITH bought AS (
  SELECT p.customer_id, p.product_id, p.season, date_trunc('day', p.event_time) AS day
  FROM sources.transactions p
  CROSS JOIN split.periods s
  LEFT JOIN sources.transactions r ON r.order_id = p.order_id AND r.product_id = p.product_id AND r.event_type = 'return'
                                  AND r.event_time <= p.event_time + $return_window
  WHERE p.event_type = 'purchase' AND p.consented AND p.event_time >= s.test_from
    -- Whether it was kept is known.
    AND p.event_time + $return_window <= s.observed_until
  GROUP BY p.customer_id, p.product_id, p.season, date_trunc('day', p.event_time)
  HAVING COUNT(r.transaction_id) = 0
),
-- Drawn by lot where there are more than so many rows: a large shop has billions.
days AS (
  SELECT customer_id, day
  FROM (
    SELECT customer_id, day, ROW_NUMBER() OVER (ORDER BY md5(concat(customer_id, ' ', CAST(day AS VARCHAR))), customer_id, day) AS lot
    FROM (SELECT DISTINCT customer_id, day FROM bought)
  )
  WHERE lot * (SELECT COUNT(*) FROM sources.products) <= 2000000
)
SELECT d.customer_id, d.day AS as_of, p.product_id, p.season, b.product_id IS NOT NULL AS kept
FROM days d
JOIN sources.customers c ON c.customer_id = d.customer_id
CROSS JOIN sources.products p
LEFT JOIN bought b ON b.customer_id = d.customer_id AND b.day = d.day AND b.product_id = p.product_id AND b.season = p.season
WHERE p.on_sale_from <= CAST(d.day AS DATE) AND p.on_sale_until >= CAST(d.day AS DATE)
  AND concat(';', replace(p.ships_to, ' ', ''), ';') LIKE concat('%;', c.country, ';%')
