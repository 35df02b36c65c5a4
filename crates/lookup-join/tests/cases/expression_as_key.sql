SELECT a.shop, a.size, k.name AS found FROM asking a LEFT JOIN known k ON k.size + 1 = a.size AND upper(k.name) = upper(a.name)
ORDER BY a.shop, a.size, found
