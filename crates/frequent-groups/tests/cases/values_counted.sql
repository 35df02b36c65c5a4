-- left alone: values are counted, not rows
SELECT visit, COUNT(size) AS sizes FROM rows GROUP BY visit HAVING COUNT(size) > 9 ORDER BY visit
