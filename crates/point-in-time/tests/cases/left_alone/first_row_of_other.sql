-- which is not in PARTITION BY
SELECT shop, label, kind FROM (SELECT g.shop, g.label, e.kind, ROW_NUMBER() OVER (PARTITION BY g.shop, g.as_of ORDER BY e.at DESC, e.line) AS n
  FROM grain g LEFT JOIN events e ON e.shop = g.shop AND e.at < g.as_of) WHERE n = 1
