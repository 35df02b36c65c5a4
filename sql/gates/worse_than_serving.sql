/*---
name: worse_than_serving
description: |
  The lists that customers would be shown lead popularity by less than those of the release that serves, beyond what chance
  explains.
severity: error
---*/
SELECT concat('against popularity, ', c.figure, ' leads by ', round(100 * c.value, 1), ' of 100 (', round(100 * c.low, 1), ' to ', round(100 * c.high, 1),
              '), that of the release that serves by ', round(100 * s.value, 1), ' (', round(100 * s.low, 1), ' to ', round(100 * s.high, 1), ')') AS because
FROM candidate.shelf_figures c
JOIN serving.shelf_figures s ON s.protocol = c.protocol AND s.ranking = c.ranking AND s.against = c.against AND s.figure = c.figure
WHERE c.protocol = 'shelf-delivered' AND c.against = 'popularity' AND c.shown AND s.shown
  AND c.figure IN ('right_order', 'kept_hits') AND c.high < s.low
