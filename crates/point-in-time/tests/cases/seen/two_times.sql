SELECT g.shop, g.a, g.as_of, COUNT(*) AS n, SUM(e.amount * g.a) AS amount
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.at < g.as_of AND e.line < g.a * 100
GROUP BY g.shop, g.a, g.as_of
ORDER BY g.shop, g.a, g.as_of
