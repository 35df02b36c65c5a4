SELECT a.*, n.name AS found, n.size AS found_size FROM asking a LEFT JOIN nothing n ON n.shop = a.shop
ORDER BY a.shop, a.a, a.b, a.name, a.size
