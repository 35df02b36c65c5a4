-- which is not `time < moment` or alike
SELECT g.shop, COUNT(*) FILTER (WHERE e.quantity + g.a > 3) FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.at < g.as_of GROUP BY g.shop
