-- is of more than the source's columns
SELECT DISTINCT ON (g.shop, g.a, g.as_of) g.shop, g.a, g.as_of, e.kind, e.quantity
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.at < g.as_of
ORDER BY g.shop, g.a, g.as_of, e.at DESC, e.line DESC
