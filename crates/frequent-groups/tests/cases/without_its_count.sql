SELECT number, MIN(visit) AS first_visit FROM rows WHERE number IS NOT NULL GROUP BY number HAVING COUNT(*) >= 2 ORDER BY number
