SELECT number, COUNT(1) AS rows FROM rows GROUP BY number HAVING COUNT(1) = 3 ORDER BY number
