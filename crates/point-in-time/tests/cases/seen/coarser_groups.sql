SELECT g.shop, g.label, COUNT(*) AS n, SUM(e.amount) AS amount, AVG(e.amount) AS mean, COUNT(DISTINCT e.kind) AS kinds,
       MAX(e.at) FILTER (WHERE e.at >= g.as_of - INTERVAL '5' MICROSECOND) AS last_time
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.at <= g.as_of
GROUP BY g.shop, g.label
ORDER BY g.shop, g.label
