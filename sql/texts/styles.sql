/*---
name: styles
description: The styles that customers can tick, in words; nothing is fitted on them, they are held against descriptions.
key: [style]
---*/
WITH ticked AS (SELECT trim(unnest(string_to_array(styles, ';'))) AS style FROM sources.customers)
SELECT DISTINCT style, concat(style, ' style') AS text, false AS in_training FROM ticked WHERE style <> ''
