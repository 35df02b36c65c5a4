/*---
name: profile_without_consent
description: A customer who has not agreed to personalisation has a behavioural feature.
severity: error
---*/
SELECT f.customer_id, f.as_of
FROM frame f
JOIN sources.customers c ON c.customer_id = f.customer_id
WHERE NOT c.personalisation_consent
  AND (f.looks_30d IS NOT NULL OR f.seen_before IS NOT NULL OR f.taste_match IS NOT NULL OR f.looks_before_in_hour IS NOT NULL
       OR f.kept_share IS NOT NULL OR f.price_level IS NOT NULL OR f.favourite_category IS NOT NULL OR f.position_in_visit IS NOT NULL OR f.last_channel IS NOT NULL)
