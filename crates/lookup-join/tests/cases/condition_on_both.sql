SELECT a.*, o.size AS found FROM asking a LEFT JOIN often o ON o.shop = a.shop AND o.size + a.size > 4
ORDER BY a.shop, a.a, a.b, a.name, a.size, found
