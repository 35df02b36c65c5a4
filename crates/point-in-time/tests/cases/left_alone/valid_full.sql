-- LEFT and INNER joins
SELECT g.shop, e.line FROM grain g FULL JOIN events e ON e.shop = g.shop AND e.at < g.as_of AND g.as_of < e.ends
