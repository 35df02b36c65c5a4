SELECT g.shop, g.a, g.as_of,
       vector_mean(e.vector, e.weight) AS mean, vector_mean(e.vector, e.weight) FILTER (WHERE e.kind = 'a') AS mean_a,
       vector_mean(e.vector, e.weight) FILTER (WHERE e.at >= g.as_of - INTERVAL '4' MICROSECOND) AS mean_4us,
       SUM(e.score) AS score, AVG(e.score) FILTER (WHERE e.at >= g.as_of - INTERVAL '4' MICROSECOND) AS score_4us,
       bool_or(e.flag) AS any_flag, bit_xor(e.quantity) AS bits, stddev(e.quantity) FILTER (WHERE e.quantity = 1) AS spread
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.at < g.as_of
GROUP BY g.shop, g.a, g.as_of
ORDER BY g.shop, g.a, g.as_of
