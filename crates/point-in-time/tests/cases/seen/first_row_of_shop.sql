WITH numbered AS (
  SELECT g.shop, g.label, e.flag, e.score, ROW_NUMBER() OVER (PARTITION BY g.shop, g.label ORDER BY e.at, e.line) AS n
  FROM events e JOIN grain g ON e.shop = g.shop AND e.b = g.b AND e.at <= g.as_of AND e.at > g.as_of - INTERVAL '5' MICROSECOND)
SELECT shop, label, flag, score FROM numbered WHERE n < 2 AND score IS NOT NULL
ORDER BY shop, label
