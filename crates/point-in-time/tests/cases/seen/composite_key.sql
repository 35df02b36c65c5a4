SELECT g.shop, g.a, g.b, g.as_of, COUNT(e.quantity) AS n, SUM(e.quantity) AS total, MAX(e.at) AS last_time,
       MIN(e.at) FILTER (WHERE e.kind = 'a') AS first_a,
       MAX(e.at) FILTER (WHERE e.at <= g.as_of - INTERVAL '2' MICROSECOND) AS last_but_2us
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.b = g.b AND e.at < g.as_of
GROUP BY g.shop, g.a, g.b, g.as_of
ORDER BY g.shop, g.a, g.b, g.as_of
