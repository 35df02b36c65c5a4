SELECT number, COUNT(*) AS rows FROM rows GROUP BY number HAVING COUNT(*) > 1 AND MIN(size) < 0 ORDER BY number
