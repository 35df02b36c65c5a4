/*---
name: request
description: |
  A customer at the moment at which a list could have been shown: the first look of a visit of a customer who consents.
  A visit is what the shop calls a session, or a day where it names none; it is over a day after its first look, and what
  is looked at later under the same name belongs to none, so that no later row changes a visit that was over.  When lists
  are made, the customers at the moment asked for stand here.
key: [customer_id, as_of]
---*/
WITH visits AS (
  SELECT t.customer_id, COALESCE(t.session_id, to_char(t.event_time, '%Y-%m-%d')) AS visit,
         MIN(t.event_time) AS as_of
  FROM sources.transactions t
  JOIN split.sample s ON s.customer_id = t.customer_id AND s.drawn
  JOIN sources.customers c ON c.customer_id = t.customer_id AND c.personalisation_consent
  WHERE t.stands_for = 'browse'
  GROUP BY t.customer_id, COALESCE(t.session_id, to_char(t.event_time, '%Y-%m-%d'))
)
SELECT customer_id, as_of, MIN(visit) AS visit, as_of + INTERVAL '1' DAY AS over_at
FROM visits
GROUP BY customer_id, as_of
