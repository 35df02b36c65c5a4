-- left alone: rows fall away
SELECT a.*, k.size AS found FROM asking a JOIN known k ON k.name = a.name
ORDER BY a.shop, a.a, a.b, a.name, a.size, found
