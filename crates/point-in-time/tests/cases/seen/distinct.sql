SELECT g.shop, g.a, g.as_of, COUNT(*) AS n,
       COUNT(DISTINCT e.kind) AS kinds, COUNT(DISTINCT e.quantity) FILTER (WHERE e.kind = 'a') AS quantities_a,
       COUNT(DISTINCT e.quantity) FILTER (WHERE e.at >= g.as_of - INTERVAL '3' MICROSECOND) AS quantities_3us,
       COUNT(DISTINCT e.amount) FILTER (WHERE e.at >= g.as_of - INTERVAL '1' DAY) AS amounts_1d,
       SUM(DISTINCT e.quantity) AS sum_distinct
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.at < g.as_of
GROUP BY g.shop, g.a, g.as_of
ORDER BY g.shop, g.a, g.as_of
