-- which is the source's
SELECT g.shop, e.kind, COUNT(*) FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.at < g.as_of GROUP BY g.shop, e.kind
