/*---
name: promise
version: 1
entity: customer_product
owner: catalogue
description: What the shop can promise this customer for this article; nothing of what the customer did.
columns:
  delivery_days:
    {unit: days, meaning: "usual days until it arrives: longer when the brand ships",
     reasons: [{say: "with you in about {value} days", below: 4}]}
  sustainability_fit:
    {unit: points, meaning: "the article's score above or below the middle, counted for customers who said it matters", driver: sustainability,
     reasons: [{say: "sustainable, as you asked for", above: 0}]}
  price_for_band: {unit: log EUR, meaning: "logarithm of the list price, counted up for premium and down for budget customers", driver: price}
---*/
SELECT g.customer_id, g.product_id, g.season, g.as_of,
       CASE WHEN p.fulfilment = 'brand' THEN $brand_delivery_days ELSE $warehouse_delivery_days END AS delivery_days,
       (CAST(p.sustainability_score AS DOUBLE) - 50)
         * CASE c.sustainability_preference WHEN 'high' THEN 1 WHEN 'medium' THEN 0.5 ELSE 0 END AS sustainability_fit,
       ln(CAST(p.price_eur AS DOUBLE))
         * CASE c.price_band WHEN 'budget' THEN -1 WHEN 'premium' THEN 1 ELSE 0 END AS price_for_band
FROM grain.customer_product g
JOIN sources.customers c ON c.customer_id = g.customer_id
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
