SELECT g.shop, g.b, g.as_of, COUNT(*) AS n, SUM(e.amount) AS amount, MAX(e.kind) AS last_kind
FROM events e RIGHT JOIN grain g ON g.b = e.b AND g.shop = e.shop AND g.as_of > e.at
GROUP BY g.shop, g.b, g.as_of
ORDER BY g.shop, g.b, g.as_of
