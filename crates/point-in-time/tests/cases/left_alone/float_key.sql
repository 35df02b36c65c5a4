-- it joins on
SELECT g.shop, COUNT(*) FROM grain g LEFT JOIN events e ON e.score = CAST(g.a AS DOUBLE) AND e.at < g.as_of GROUP BY g.shop
