SELECT g.shop, g.a, g.as_of, g.label, COUNT(*) AS n, SUM(e.amount) FILTER (WHERE e.kind = 'a') AS amount_a,
       MIN(e.kind) AS first_kind, COUNT(DISTINCT e.quantity) AS quantities
FROM grain g JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.at < g.as_of AND e.at >= g.as_of - INTERVAL '6' MICROSECOND
GROUP BY g.shop, g.a, g.as_of, g.label
ORDER BY g.shop, g.a, g.as_of, g.label
