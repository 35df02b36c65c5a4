-- left alone: only some rows are counted
SELECT visit, COUNT(*) AS rows FROM rows GROUP BY visit HAVING COUNT(*) FILTER (WHERE kind = 'look') > 5 ORDER BY visit
