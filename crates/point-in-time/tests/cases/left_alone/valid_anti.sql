-- LEFT and INNER joins are recognised
SELECT g.shop, g.as_of FROM grain g
WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.shop = g.shop AND e.at <= g.as_of AND g.as_of < e.ends)
