SELECT shop, a, as_of, quantity, kind, amount, at FROM (
  SELECT g.shop, g.a, g.as_of, e.quantity, e.kind, e.amount, e.at,
         ROW_NUMBER() OVER (PARTITION BY g.shop, g.a, g.as_of ORDER BY e.at DESC, e.line DESC) AS n
  FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.at < g.as_of)
WHERE n = 1
ORDER BY shop, a, as_of
