/*---
name: alert_lives
description: Each alert's life over the reports so far - opened, confirmed once clear, standing or withdrawn with a word why.
key: [metric, segment_column, segment_value, opened_on]
---*/
WITH reports AS (
  SELECT *, state IN ('clear', 'possible') AS changed,
         ROW_NUMBER() OVER (PARTITION BY metric, segment_column, segment_value ORDER BY published_on) AS nth
  FROM monitoring.published
),
latest AS (SELECT MAX(published_on) AS published_on FROM monitoring.published),
-- Reports in a row that tell of a change are one life: the number of the report less its number among them stays the same.
runs AS (
  SELECT *, nth - ROW_NUMBER() OVER (PARTITION BY metric, segment_column, segment_value ORDER BY published_on) AS life
  FROM reports WHERE changed
),
lives AS (
  SELECT metric, segment_column, segment_value, MIN(published_on) AS opened_on, MAX(published_on) AS last_on, MAX(nth) AS last_nth,
         MIN(CASE WHEN state = 'clear' THEN published_on END) AS confirmed_on, COUNT(*) AS reports
  FROM runs
  GROUP BY metric, segment_column, segment_value, life
)
SELECT l.metric, l.segment_column, l.segment_value, f.owner, l.opened_on, l.confirmed_on, n.published_on AS withdrawn_on, l.last_on, l.reports,
       CASE WHEN n.published_on IS NOT NULL THEN 'withdrawn' WHEN l.confirmed_on IS NOT NULL THEN 'confirmed' ELSE 'open' END AS status,
       CASE WHEN n.published_on IS NULL THEN NULL
            WHEN n.explained_by IS NOT NULL THEN 'it moved only because it contains the customers of another alert'
            WHEN n.state = 'too_early' THEN 'the days it rested on are no longer looked at'
            ELSE 'with the days that came since, chance explains it' END AS why,
       f.since AS first_since, f.before AS first_before, f.after AS first_after,
       s.since AS last_since, s.before AS last_before, s.after AS last_after
FROM lives l
JOIN reports f ON f.metric = l.metric AND f.segment_column = l.segment_column AND f.segment_value = l.segment_value AND f.published_on = l.opened_on
JOIN reports s ON s.metric = l.metric AND s.segment_column = l.segment_column AND s.segment_value = l.segment_value AND s.published_on = l.last_on
LEFT JOIN reports n ON n.metric = l.metric AND n.segment_column = l.segment_column AND n.segment_value = l.segment_value AND n.nth = l.last_nth + 1
