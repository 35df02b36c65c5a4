-- no GROUP BY stands right over the join
SELECT g.shop, COUNT(*) FILTER (WHERE x.label = 'a')
FROM grain g JOIN events e ON e.shop = g.shop AND e.at < g.as_of JOIN grain x ON x.a = e.a
GROUP BY g.shop
