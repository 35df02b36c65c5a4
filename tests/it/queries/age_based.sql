-- What the purchases' rate is taken over, and what it should be, worked out from the times alone.
SELECT COUNT(*) AS shown,
       (SELECT SUM(mature) FROM monitoring.daily WHERE metric = 'purchase' AND segment_column = 'shop') AS mature,
       (SELECT SUM(mature_yes) FROM monitoring.daily WHERE metric = 'purchase' AND segment_column = 'shop') AS mature_yes,
       COUNT(*) FILTER (WHERE recommended_at < TIMESTAMP '2026-09-30T22:00:00' - INTERVAL '14' DAY) AS old_enough,
       COUNT(*) FILTER (WHERE recommended_at < TIMESTAMP '2026-09-30T22:00:00' - INTERVAL '14' DAY
                          AND purchased_at IS NOT NULL) AS came_to_old_enough
FROM sources.recommendations
WHERE recommended_at < TIMESTAMP '2026-09-30T22:00:00'
