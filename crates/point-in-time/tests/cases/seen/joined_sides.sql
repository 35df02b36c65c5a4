WITH known AS (SELECT e.shop, e.b, e.at, e.kind, e.amount, k.rank FROM events e JOIN kinds k ON k.kind = e.kind)
SELECT g.shop, g.a, g.b, g.as_of, s.tall, CASE WHEN s.tall THEN COUNT(e.rank) END AS n,
       SUM(e.rank) FILTER (WHERE e.at >= g.as_of - INTERVAL '8' MICROSECOND) AS ranks,
       SUM(e.amount) / NULLIF(COUNT(e.amount), 0) AS mean
FROM grain g
JOIN shops s ON s.shop = g.shop
LEFT JOIN known e ON e.shop = g.shop AND e.b = g.b AND e.at < g.as_of AND s.tall
GROUP BY g.shop, g.a, g.b, g.as_of, s.tall
ORDER BY g.shop, g.a, g.b, g.as_of
