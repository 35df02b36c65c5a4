-- left alone: a group of one is asked for too
SELECT visit, COUNT(*) AS rows FROM rows GROUP BY visit HAVING COUNT(*) > 0 ORDER BY visit
