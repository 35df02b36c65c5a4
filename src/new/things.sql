/*---
file: {{file}}
description: One {{thing}}.
key: [{{key}}]
encoding: {{encoding}}
columns:
{{columns}}
set_aside:
  no_number: {column: {{number}}, found: no number, done: set aside}
  again: {column: {{number}}, found: the number stands there before, done: "the first row is kept, the others are set aside"}
---*/
WITH written AS (
  SELECT identifier(r.{{number}}) AS {{key}},{{attributes}} r.line,
         ROW_NUMBER() OVER (PARTITION BY identifier(r.{{number}}) ORDER BY r.line) AS nth
  FROM raw.{{source}} r
)
SELECT {{key}},{{names}} line, CASE WHEN {{key}} IS NULL THEN 'no_number' WHEN nth > 1 THEN 'again' END AS set_aside, '' AS surprises
FROM written
