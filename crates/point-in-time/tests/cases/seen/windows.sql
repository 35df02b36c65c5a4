SELECT g.shop, g.a, g.as_of,
       COUNT(*) AS all_rows, COUNT(e.amount) AS amounts, COUNT(e.a) AS matches,
       COUNT(*) FILTER (WHERE e.at >= g.as_of - INTERVAL '1' MICROSECOND) AS last_microsecond,
       COUNT(*) FILTER (WHERE e.kind = 'b' AND e.at >= g.as_of - INTERVAL '3' MICROSECOND) AS b_3us,
       COUNT(e.kind) FILTER (WHERE e.kind <> 'b' AND e.at > g.as_of - INTERVAL '2' DAY) AS not_b_2d,
       SUM(e.amount) AS amount, SUM(e.amount) FILTER (WHERE e.at >= g.as_of - INTERVAL '4' MICROSECOND) AS amount_4us,
       SUM(e.quantity) FILTER (WHERE e.kind IN ('a', 'c')) AS quantity,
       AVG(e.amount) FILTER (WHERE e.kind = 'a') AS mean_amount, AVG(e.quantity) AS mean_quantity,
       AVG(e.quantity) FILTER (WHERE e.at >= g.as_of - INTERVAL '5' MICROSECOND) AS mean_quantity_5us
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.at < g.as_of
GROUP BY g.shop, g.a, g.as_of
ORDER BY g.shop, g.a, g.as_of
