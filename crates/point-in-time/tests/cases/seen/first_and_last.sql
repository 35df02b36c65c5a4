SELECT g.shop, g.a, g.as_of,
       last_value(e.quantity ORDER BY e.at, e.line) AS last_quantity,
       first_value(e.kind ORDER BY e.at, e.line) AS first_kind,
       last_value(e.amount ORDER BY e.at, e.line) FILTER (WHERE e.kind = 'b') AS last_b,
       first_value(e.quantity ORDER BY e.at DESC, e.line DESC) FILTER (WHERE e.at >= g.as_of - INTERVAL '4' MICROSECOND) AS latest_4us
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.at < g.as_of
GROUP BY g.shop, g.a, g.as_of
ORDER BY g.shop, g.a, g.as_of
