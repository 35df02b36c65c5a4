SELECT visit, COUNT(*) AS rows, COUNT(DISTINCT number) AS numbers FROM rows GROUP BY visit HAVING COUNT(*) >= 9 ORDER BY visit
