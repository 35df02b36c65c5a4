-- left alone: here a missing key meets a missing key
SELECT a.*, k.size AS found FROM asking a LEFT JOIN known k ON k.name IS NOT DISTINCT FROM a.name
ORDER BY a.shop, a.a, a.b, a.name, a.size, found
