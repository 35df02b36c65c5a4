SELECT g.shop, g.b, g.as_of,
       last_value(e.quantity ORDER BY e.at, e.quantity) AS largest_of_last_time,
       first_value(e.quantity ORDER BY e.at, e.quantity) AS smallest_of_first_time,
       last_value(e.kind ORDER BY e.at DESC, e.kind DESC) AS smallest_of_first_time_turned,
       first_value(e.amount ORDER BY e.at DESC, e.kind, e.amount) AS of_last_time,
       last_value(e.quantity ORDER BY e.at, e.kind DESC, e.line) IGNORE NULLS AS last_known,
       last_value(e.flag ORDER BY e.at, e.flag) FILTER (WHERE e.kind <> 'b' AND e.at >= g.as_of - INTERVAL '3' MICROSECOND) AS flag_3us,
       MIN(e.at) AS first_time, MAX(e.at) FILTER (WHERE e.kind = 'a' AND e.at < g.as_of - INTERVAL '1' MICROSECOND) AS last_a
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.b = g.b AND e.at <= g.as_of
GROUP BY g.shop, g.b, g.as_of
ORDER BY g.shop, g.b, g.as_of
