/*---
name: customers
file: customers.csv
description: One registered customer.
key: [customer_id]
known_from: signup_date
columns:
  customer_id: the customer's number
  age_group: age in bands of ten years
  gender: as the customer gave it
  region: region of Germany, or Austria, or Switzerland
  signup_date: day of registration
  sustainability_preference: high, medium or low, as the customer gave it
  style_preferences: styles the customer ticked, separated by semicolons
  price_band: budget, mid or premium
  personalisation_consent: whether behaviour may be used to profile this customer
set_aside:
  no_customer_id: {column: customer_id, found: the row has no customer number, done: set aside}
  customer_twice: {column: customer_id, found: the customer number stands there a second time with other contents, done: "the first row is kept, the others are set aside"}
  late_copy: {found: the whole row is repeated, done: "the first row is kept, the copies are set aside"}
surprises:
  no_gender: {column: gender, found: not given, done: "kept as 'not given'"}
  no_sustainability_preference: {column: sustainability_preference, found: not given, done: "kept as 'not given', a group of its own in every report"}
  no_styles: {column: style_preferences, found: no style ticked, done: kept without styles}
  unknown_region: {column: region, found: "no region that we can place in a country", done: "kept, treated as Germany for shipping"}
  bad_signup_date: {column: signup_date, found: no date, done: kept without a date}
  consent_unclear: {column: personalisation_consent, found: neither true nor false, done: treated as no consent}
  no_consent: {column: personalisation_consent, found: no consent to personalisation, done: "kept; behaviour is not used for features or personal recommendations"}
---*/
WITH numbered AS (
  SELECT r.*,
         ROW_NUMBER() OVER (PARTITION BY r.customer_id ORDER BY r.line) AS nth,
         ROW_NUMBER() OVER (PARTITION BY r.customer_id, r.age_group, r.gender, r.region, r.signup_date,
                                         r.sustainability_preference, r.style_preferences, r.price_band,
                                         r.personalisation_consent ORDER BY r.line) AS nth_copy,
         lower(trim(r.personalisation_consent)) AS consent
  FROM raw.customers r
)
SELECT customer_id,
       COALESCE(trim(age_group), 'not given') AS age_group,
       COALESCE(lower(trim(gender)), 'not given') AS gender,
       COALESCE(trim(region), 'not given') AS region,
       CASE WHEN trim(region) = 'Austria' THEN 'AT' WHEN trim(region) = 'Switzerland' THEN 'CH' ELSE 'DE' END AS country,
       TRY_CAST(signup_date AS DATE) AS signup_date,
       COALESCE(lower(trim(sustainability_preference)), 'not given') AS sustainability_preference,
       style_preferences AS styles,
       COALESCE(lower(trim(price_band)), 'not given') AS price_band,
       COALESCE(consent = 'true', false) AS personalisation_consent,
       line,
       CASE WHEN customer_id IS NULL THEN 'no_customer_id'
            WHEN nth_copy > 1 THEN 'late_copy'
            WHEN nth > 1 THEN 'customer_twice' END AS set_aside,
       concat_ws(' ', CASE WHEN gender IS NULL THEN 'no_gender' END,
                      CASE WHEN sustainability_preference IS NULL THEN 'no_sustainability_preference' END,
                      CASE WHEN style_preferences IS NULL THEN 'no_styles' END,
                      CASE WHEN region IS NULL OR trim(region) NOT IN ('Berlin', 'North', 'West', 'South', 'East', 'Austria', 'Switzerland') THEN 'unknown_region' END,
                      CASE WHEN TRY_CAST(signup_date AS DATE) IS NULL THEN 'bad_signup_date' END,
                      CASE WHEN consent IS NULL OR consent NOT IN ('true', 'false') THEN 'consent_unclear'
                           WHEN consent = 'false' THEN 'no_consent' END) AS surprises
FROM numbered
