-- LEFT and INNER joins
SELECT g.shop, COUNT(*) FROM grain g FULL JOIN events e ON e.shop = g.shop AND e.at < g.as_of GROUP BY g.shop
