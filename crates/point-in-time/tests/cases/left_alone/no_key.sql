-- it joins by no key
SELECT g.shop, COUNT(*) FROM grain g LEFT JOIN events e ON e.at < g.as_of GROUP BY g.shop
