/*---
name: clicks_fell
description: |
  Of what is shown, clearly less is clicked than under the release that is there beside it, or was before: the whole range of
  the one lies below what is promised of the other.
severity: error
---*/
WITH shown AS (
  SELECT a.release, COUNT(*) AS shown, SUM(CASE WHEN e.clicked THEN 1 ELSE 0 END) AS clicked
  FROM served.answers a JOIN served.outcomes e ON e.request = a.request
  GROUP BY a.release
),
ranges AS (
  SELECT s.release, s.shown, s.clicked, r.role, wilson_upper(s.clicked, s.shown) AS at_most, wilson_lower(s.clicked, s.shown) AS at_least
  FROM shown s JOIN served.releases r ON r.release = s.release
)
SELECT n.release, concat(n.clicked, ' of ', n.shown, ' articles shown were clicked, of the other release ', o.clicked, ' of ', o.shown) AS because
FROM ranges n JOIN ranges o ON o.role = 'other' AND n.role = 'watched'
WHERE n.shown >= $slo_enough AND o.shown >= $slo_enough AND n.at_most < $slo_clicks * o.at_least
