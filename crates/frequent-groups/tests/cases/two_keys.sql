SELECT visit, kind, COUNT(*) AS rows FROM rows GROUP BY visit, kind HAVING COUNT(*) > 4 ORDER BY visit, kind
