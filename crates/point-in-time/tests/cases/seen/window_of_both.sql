SELECT g.shop, g.a, g.b, g.as_of, e.line, e.quantity + g.a AS both
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.at < g.as_of AND e.at >= g.as_of - INTERVAL '3' MICROSECOND
                                AND (e.b <> g.b OR e.quantity > g.a)
ORDER BY g.shop, g.a, g.b, g.as_of, e.line
