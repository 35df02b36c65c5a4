-- it groups by kind, which is the source's
SELECT g.shop, g.as_of, e.kind, COUNT(*) FROM grain g JOIN events e ON e.shop = g.shop AND e.at < g.as_of GROUP BY g.shop, g.as_of, e.kind
