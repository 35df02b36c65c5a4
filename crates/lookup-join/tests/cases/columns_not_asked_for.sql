SELECT COUNT(*) AS rows, COUNT(k.name) AS found FROM asking a LEFT JOIN known k ON k.name = a.name AND k.shop = a.shop
