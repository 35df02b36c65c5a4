/*---
name: visit
version: 2
entity: customer
owner: growth
description: |
  Where in a visit, and when on the shop's clock, this moment is.  The moment itself is the request's and is known; what
  else happens at it is not: the channel is that of the look before, because a list that is made ahead has none of its
  own, and an article's place in a list is not known before there is a list.  A visit is over when the
  minutes of features.visit_gap_minutes pass without a look.  Without consent nothing of the visit is used: NULL; the clock is nobody's behaviour.
columns:
  looks_before_in_hour: {unit: looks, meaning: articles looked at in the hour before}
  wishes_before_in_hour: {unit: wishes, meaning: articles put on the wish list in the hour before}
  position_in_visit: {unit: looks, meaning: "which look of its visit this is, 1 is the first; a moment outside of a visit begins one"}
  last_channel: {unit: category, meaning: "channel of the last look before, NULL without one"}
  time_of_day: {unit: category, meaning: "night (22 to 6), morning (to 12), afternoon (to 18) or evening, on the shop's clock"}
  weekend: {unit: yes or no, meaning: "whether it is Saturday or Sunday on the shop's clock"}
---*/
WITH last_looks AS (
  SELECT g.customer_id, g.as_of, MAX(t.event_time) AS looked_at,
         last_value(t.session_id ORDER BY t.event_time, t.transaction_id) AS session_id,
         last_value(t.channel ORDER BY t.event_time, t.transaction_id) AS channel
  FROM grain.customer g
  JOIN sources.customers c ON c.customer_id = g.customer_id AND c.personalisation_consent
  JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_type = 'browse' AND t.event_time < g.as_of
  GROUP BY g.customer_id, g.as_of
)
SELECT g.customer_id, g.as_of,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) FILTER (WHERE t.event_type = 'browse' AND t.event_time >= g.as_of - INTERVAL '1' HOUR) END AS looks_before_in_hour,
       CASE WHEN c.personalisation_consent THEN COUNT(t.line) FILTER (WHERE t.event_type = 'wishlist' AND t.event_time >= g.as_of - INTERVAL '1' HOUR) END AS wishes_before_in_hour,
       CASE WHEN c.personalisation_consent
            THEN 1 + COUNT(t.line) FILTER (WHERE t.event_type = 'browse' AND t.session_id = l.session_id
                                             AND date_part('epoch', g.as_of) - date_part('epoch', l.looked_at) <= 60 * $visit_gap_minutes) END AS position_in_visit,
       l.channel AS last_channel,
       CASE WHEN date_part('hour', g.as_of AT TIME ZONE 'UTC' AT TIME ZONE $timezone) BETWEEN 6 AND 11 THEN 'morning'
            WHEN date_part('hour', g.as_of AT TIME ZONE 'UTC' AT TIME ZONE $timezone) BETWEEN 12 AND 17 THEN 'afternoon'
            WHEN date_part('hour', g.as_of AT TIME ZONE 'UTC' AT TIME ZONE $timezone) BETWEEN 18 AND 21 THEN 'evening'
            ELSE 'night' END AS time_of_day,
       date_part('dow', g.as_of AT TIME ZONE 'UTC' AT TIME ZONE $timezone) IN (0, 6) AS weekend
FROM grain.customer g
JOIN sources.customers c ON c.customer_id = g.customer_id
LEFT JOIN last_looks l ON l.customer_id = g.customer_id AND l.as_of = g.as_of
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND c.personalisation_consent
                                AND t.event_time < g.as_of AND t.event_time >= g.as_of - INTERVAL '1' DAY
GROUP BY g.customer_id, g.as_of, c.personalisation_consent, l.session_id, l.looked_at, l.channel
