-- expect: no-time-bound
/*---
{name: lines_of_the_file, version: 1, entity: customer, owner: growth, description: lines of the file.,
 columns: {last_line: {unit: count, meaning: last line}}}
---*/
-- The file is in the order of time, until somebody sends it in another.
SELECT g.customer_id, g.as_of, SUM(t.line) AS last_line
FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.line < 100
GROUP BY g.customer_id, g.as_of
