SELECT visit, COUNT(*) AS rows, SUM(size) AS sizes FROM rows GROUP BY visit HAVING COUNT(*) > 1000 ORDER BY visit
