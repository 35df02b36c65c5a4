SELECT a.shop, a.a, a.b, a.name, x.name AS found, x.size AS found_size
FROM asking a
LEFT JOIN (SELECT o.shop, o.name, MAX(k.size) AS size FROM often o JOIN known k ON k.name = o.name GROUP BY o.shop, o.name) x ON x.shop = a.shop
ORDER BY a.shop, a.a, a.b, a.name, found, found_size
