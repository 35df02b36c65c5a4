SELECT a.*, o.name AS found, o.size AS found_size FROM asking a LEFT JOIN often o ON o.shop = a.shop
ORDER BY a.shop, a.a, a.b, a.name, a.size, found, found_size
