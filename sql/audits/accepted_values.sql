/*---
name: accepted_values
description: A column has a value that no query expects.
severity: warn
---*/
SELECT * FROM (
  SELECT 'transactions' AS source, 'event_type' AS column_name, event_type AS value, COUNT(*) AS times FROM sources.transactions
  WHERE event_type NOT IN ('browse', 'wishlist', 'purchase', 'return') GROUP BY event_type
  UNION ALL SELECT 'transactions', 'channel', channel, COUNT(*) FROM sources.transactions WHERE channel NOT IN ('web', 'app', 'email', 'not given') GROUP BY channel
  UNION ALL SELECT 'products', 'fulfilment', fulfilment, COUNT(*) FROM sources.products WHERE fulfilment NOT IN ('warehouse', 'brand') GROUP BY fulfilment
  UNION ALL SELECT 'customers', 'price_band', price_band, COUNT(*) FROM sources.customers WHERE price_band NOT IN ('budget', 'mid', 'premium', 'not given') GROUP BY price_band
  UNION ALL SELECT 'customers', 'sustainability_preference', sustainability_preference, COUNT(*) FROM sources.customers WHERE sustainability_preference NOT IN ('high', 'medium', 'low', 'not given') GROUP BY sustainability_preference
)
