/*---
{name: probe, version: 1, entity: customer, owner: style, description: The same view in other words.,
 columns: {probe_looks: {unit: looks, meaning: looks in a while}, probe_channel: {unit: category, meaning: last channel by name}}}
---*/
-- Other aliases, other order, a WITH, a column nobody uses.
WITH asked AS (
  SELECT moment.as_of, moment.customer_id, person.personalisation_consent, person.region
  FROM sources.customers person
  JOIN grain.customer moment ON moment.customer_id = person.customer_id
)
select a.customer_id, a.as_of,
       $probe_weight * count(event.line) filter (where event.event_time >= a.as_of - interval '30' day and 'browse' = event.event_type) as probe_looks,
       max(event.channel) as probe_channel
from asked a
left join sources.transactions event
  on a.personalisation_consent and a.as_of > event.event_time and event.customer_id = a.customer_id
group by a.as_of, a.customer_id
