/*---
name: also_bought
description: |
  The list to compare with, "others also bought": for each customer the articles that were bought most often by others
  who bought what they bought, on sale and shippable; what is popular in the region fills it up.  Customers without
  consent are neither asked about nor counted.  An article that came back is the same article.
key: [customer_id, rank]
---*/
WITH bought AS (
  SELECT DISTINCT t.customer_id, p.product_id, p.first_season
  FROM sources.transactions t
  JOIN sources.customers c ON c.customer_id = t.customer_id AND c.personalisation_consent
  JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season
  WHERE t.event_type = 'purchase' AND t.event_time < $exported_at
),
-- Bought by at least one customer together: how many customers.
together AS (
  SELECT a.product_id AS from_product, a.first_season AS from_season, b.product_id, b.first_season, COUNT(*) AS customers
  FROM bought a
  JOIN bought b ON b.customer_id = a.customer_id AND (b.product_id <> a.product_id OR b.first_season <> a.first_season)
  GROUP BY a.product_id, a.first_season, b.product_id, b.first_season
),
wanted AS (
  SELECT m.customer_id, t.product_id, t.first_season, SUM(t.customers) AS customers
  FROM bought m
  JOIN together t ON t.from_product = m.product_id AND t.from_season = m.first_season
  GROUP BY m.customer_id, t.product_id, t.first_season
),
ordered AS (
  SELECT c.customer_id, c.product_id, c.season, COALESCE(w.customers, 0) AS customers,
         ROW_NUMBER() OVER (PARTITION BY c.customer_id
                            ORDER BY COALESCE(w.customers, 0) DESC, l.score DESC, c.product_id, c.season) AS rank
  FROM recommend.candidates c
  JOIN sources.products p ON p.product_id = c.product_id AND p.season = c.season
  LEFT JOIN wanted w ON w.customer_id = c.customer_id AND w.product_id = c.product_id AND w.first_season = p.first_season
  LEFT JOIN recommend.popular l ON l.region = c.region AND l.product_id = c.product_id AND l.season = c.season
)
SELECT customer_id, rank, product_id, season, customers FROM ordered WHERE rank <= $per_customer
