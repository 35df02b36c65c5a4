SELECT g.shop, g.a, g.as_of, g.open,
       COUNT(*) FILTER (WHERE e.kind IS NULL) AS without_kind, SUM(COALESCE(e.quantity, 7)) AS with_default,
       COUNT(*) FILTER (WHERE e.kind IS NULL AND e.at >= g.as_of - INTERVAL '3' MICROSECOND) AS without_kind_3us,
       COUNT(*) FILTER (WHERE g.open) AS open_rows, SUM(e.amount) FILTER (WHERE g.open AND e.kind = 'a') AS open_amount,
       COUNT(DISTINCT COALESCE(e.kind, '-')) FILTER (WHERE e.kind IS NULL OR e.kind = 'a') AS kinds,
       MAX(COALESCE(e.kind, 'none')) AS kind
FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.a = g.a AND e.at < g.as_of AND g.open
GROUP BY g.shop, g.a, g.as_of, g.open
ORDER BY g.shop, g.a, g.as_of, g.open
