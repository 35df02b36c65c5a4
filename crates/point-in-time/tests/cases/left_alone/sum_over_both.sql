-- is of more than the source's columns
SELECT g.shop, SUM(e.quantity * g.a) FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.at < g.as_of GROUP BY g.shop
