SELECT g.shop, g.a, g.as_of, g.open, e.line, e.amount, e.vector
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.at <= g.as_of AND (g.as_of < e.ends OR e.ends IS NULL)
ORDER BY g.shop, g.a, g.as_of, g.open, e.line
