SELECT g.shop, g.a, g.as_of,
       MIN(e.quantity) AS low, MAX(e.quantity) AS high, MIN(e.amount) AS low_amount, MAX(e.kind) AS kind, MAX(e.flag) AS flag,
       MIN(e.quantity) FILTER (WHERE e.at >= g.as_of - INTERVAL '3' MICROSECOND) AS low_3us,
       MAX(e.amount) FILTER (WHERE e.at >= g.as_of - INTERVAL '7' MICROSECOND AND e.kind = 'a') AS high_7us,
       MAX(e.kind) FILTER (WHERE e.at > g.as_of - INTERVAL '1' DAY) AS kind_1d,
       MIN(e.score) AS low_score, MAX(e.score) FILTER (WHERE e.at >= g.as_of - INTERVAL '5' MICROSECOND) AS high_score
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.at < g.as_of
GROUP BY g.shop, g.a, g.as_of
ORDER BY g.shop, g.a, g.as_of
