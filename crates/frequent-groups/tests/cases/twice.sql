SELECT number, COUNT(*) AS rows, MIN(size) AS least FROM rows GROUP BY number HAVING COUNT(*) > 1 ORDER BY number
