SELECT a.shop, a.a, a.b, a.name, x.name AS found, x.size AS found_size
FROM asking a
LEFT JOIN (SELECT DISTINCT o.shop, o.name, k.size FROM often o LEFT JOIN known k ON k.name = o.name) x ON x.shop = a.shop AND x.size = a.size
ORDER BY a.shop, a.a, a.b, a.name, found, found_size
