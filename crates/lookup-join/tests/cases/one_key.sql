SELECT a.*, k.name AS found, k.size AS found_size FROM asking a LEFT JOIN (SELECT name, MIN(size) AS size FROM known GROUP BY name) k ON k.name = a.name
ORDER BY a.shop, a.a, a.b, a.name, a.size, found, found_size
