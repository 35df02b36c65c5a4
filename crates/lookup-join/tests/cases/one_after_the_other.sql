SELECT a.*, k.name AS first, o.name AS second FROM asking a
LEFT JOIN known k ON k.shop = a.shop AND k.size = a.size LEFT JOIN often o ON o.name = k.name AND o.a = a.a
ORDER BY a.shop, a.a, a.b, a.name, a.size, first, second
