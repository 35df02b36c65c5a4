SELECT k.*, a.name AS found FROM known k LEFT JOIN (SELECT * FROM nothing WHERE size > 3) a ON a.shop = k.shop
ORDER BY k.shop, k.a, k.b, k.name, k.size
