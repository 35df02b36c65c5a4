-- left alone: a small group may be asked for too
SELECT visit, COUNT(*) AS rows FROM rows GROUP BY visit HAVING COUNT(*) > 9 OR MIN(size) < 0 ORDER BY visit
