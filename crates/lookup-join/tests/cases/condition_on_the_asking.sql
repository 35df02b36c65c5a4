SELECT a.*, k.name AS found FROM asking a LEFT JOIN known k ON k.shop = a.shop AND a.size > 2
ORDER BY a.shop, a.a, a.b, a.name, a.size, found
