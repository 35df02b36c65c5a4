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
  no_age_group: {column: age_group, found: not given, done: "kept as 'not given'"}
  no_price_band: {column: price_band, found: not given, done: "kept as 'not given'"}
  no_gender: {column: gender, found: not given, done: "kept as 'not given'"}
  no_sustainability_preference: {column: sustainability_preference, found: not given, done: "kept as 'not given', a group of its own in every report"}
  no_styles: {column: style_preferences, found: no style ticked, done: kept without styles}
  unknown_region: {column: region, found: "no region that we can place in a country", done: "kept, treated as Germany for shipping"}
  bad_signup_date: {column: signup_date, found: "no date, or one before 1900 or after the export", done: kept without a date}
  consent_contradicted: {column: personalisation_consent, found: "rows of one customer that disagree on consent", done: treated as no consent}
  consent_unclear: {column: personalisation_consent, found: neither true nor false, done: treated as no consent}
  no_consent: {column: personalisation_consent, found: no consent to personalisation, done: "kept; behaviour is not used for features or personal recommendations"}
---*/
WITH written AS (
  SELECT r.line, identifier(r.customer_id) AS customer_id, given(r.age_group) AS age_group, lower(given(r.gender)) AS gender, given(r.region) AS region,
         day(r.signup_date, $timezone) AS signed_up, lower(given(r.sustainability_preference)) AS sustainability_preference,
         given(r.style_preferences) AS styles, lower(given(r.price_band)) AS price_band,
         flag(r.personalisation_consent) AS consent,
         ROW_NUMBER() OVER (PARTITION BY r.customer_id, r.age_group, r.gender, r.region, r.signup_date,
                                         r.sustainability_preference, r.style_preferences, r.price_band,
                                         r.personalisation_consent ORDER BY r.line) AS nth_copy
  FROM raw.customers r
),
-- One row that takes consent back takes it back for the customer.
numbered AS (
  SELECT w.*, CASE WHEN w.signed_up BETWEEN DATE '1900-01-01' AND $exported_on THEN w.signed_up END AS signup_date,
         ROW_NUMBER() OVER (PARTITION BY w.customer_id ORDER BY w.line) AS nth,
         MIN(CASE WHEN w.consent THEN 1 ELSE 0 END) OVER (PARTITION BY w.customer_id) AS least_consent,
         MAX(CASE WHEN w.consent THEN 1 ELSE 0 END) OVER (PARTITION BY w.customer_id) AS most_consent
  FROM written w
)
SELECT customer_id,
       COALESCE(age_group, 'not given') AS age_group,
       COALESCE(gender, 'not given') AS gender,
       COALESCE(region, 'not given') AS region,
       CASE WHEN region = 'Austria' THEN 'AT' WHEN region = 'Switzerland' THEN 'CH' ELSE 'DE' END AS country,
       signup_date,
       COALESCE(sustainability_preference, 'not given') AS sustainability_preference,
       styles,
       COALESCE(price_band, 'not given') AS price_band,
       least_consent = 1 AS personalisation_consent,
       line,
       CASE WHEN customer_id IS NULL THEN 'no_customer_id'
            WHEN nth_copy > 1 THEN 'late_copy'
            WHEN nth > 1 THEN 'customer_twice' END AS set_aside,
       concat_ws(' ', CASE WHEN gender IS NULL THEN 'no_gender' END,
                      CASE WHEN age_group IS NULL THEN 'no_age_group' END,
                      CASE WHEN price_band IS NULL THEN 'no_price_band' END,
                      CASE WHEN sustainability_preference IS NULL THEN 'no_sustainability_preference' END,
                      CASE WHEN styles IS NULL THEN 'no_styles' END,
                      CASE WHEN region IS NULL OR region NOT IN ('Berlin', 'North', 'West', 'South', 'East', 'Austria', 'Switzerland') THEN 'unknown_region' END,
                      CASE WHEN signup_date IS NULL THEN 'bad_signup_date' END,
                      CASE WHEN least_consent < most_consent THEN 'consent_contradicted'
                           WHEN consent IS NULL THEN 'consent_unclear'
                           WHEN NOT consent THEN 'no_consent' END) AS surprises
FROM numbered
