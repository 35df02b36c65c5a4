SELECT number * 2 + 1 AS odd, COUNT(*) AS rows FROM rows GROUP BY number * 2 + 1 HAVING 2 <= COUNT(*) ORDER BY odd
