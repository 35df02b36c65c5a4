SELECT g.shop, g.a, g.as_of, g.until,
       COUNT(*) FILTER (WHERE e.at = g.as_of - INTERVAL '1' MICROSECOND) AS just_then,
       COUNT(*) FILTER (WHERE e.at < g.as_of - INTERVAL '2' MICROSECOND AND e.at >= g.as_of - INTERVAL '5' MICROSECOND) AS before,
       SUM(e.quantity) FILTER (WHERE e.at > g.as_of - INTERVAL '1' MONTH) AS month,
       COUNT(*) FILTER (WHERE e.at >= g.as_of) AS never, COUNT(e.line) FILTER (WHERE e.at >= g.until) AS since_until
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.at < g.as_of - INTERVAL '1' MICROSECOND
GROUP BY g.shop, g.a, g.as_of, g.until
ORDER BY g.shop, g.a, g.as_of, g.until
