-- another value than one time
SELECT g.shop, COUNT(*) FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.at < g.as_of AND e.line < g.a GROUP BY g.shop
