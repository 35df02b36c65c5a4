SELECT g.shop, g.a, g.b, g.as_of, COUNT(e.line) AS n, SUM(e.amount) AS amount, MAX(e.kind) FILTER (WHERE e.quantity <> g.a) AS kind
FROM events e RIGHT JOIN grain g ON e.shop = g.shop AND e.a = g.a AND e.b = g.b AND g.as_of BETWEEN e.at AND COALESCE(e.ends, TIMESTAMP '2200-01-01 00:00:00')
GROUP BY g.shop, g.a, g.b, g.as_of
ORDER BY g.shop, g.a, g.b, g.as_of
