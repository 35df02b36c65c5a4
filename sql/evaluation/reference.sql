/*---
name: reference
description: |
  What another tool says of itself on the same export, counting every look since testing began without waiting for its
  outcome; the report holds the models against it.  Of another export it says nothing: no row.  Delete this file and its keys in
  params.yaml where there is none.
key: [name]
---*/
SELECT name, auc, average_precision
FROM (SELECT $reference AS name, $reference_auc AS auc, $reference_average_precision AS average_precision, $reference_export AS export)
WHERE export = CAST($exported_on AS VARCHAR)
