SELECT a.*, k.name AS found FROM asking a LEFT JOIN known k ON k.shop = a.shop AND k.a = a.a AND k.b = a.b
ORDER BY a.shop, a.a, a.b, a.name, a.size, found
