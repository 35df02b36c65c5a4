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
         flag(r.personalisation_consent) AS consent
  FROM raw.customers r
),
-- Customers that stand there more than once are few, so only their rows are held against each other.
repeated AS (
  SELECT customer_id, MIN(line) AS first_line FROM written
  WHERE customer_id IS NOT NULL GROUP BY customer_id HAVING COUNT(*) > 1
),
twins AS (SELECT w.line, w.customer_id, w.consent, d.first_line FROM repeated d JOIN written w ON w.customer_id = d.customer_id),
kinds AS (
  SELECT MIN(r.line) AS line FROM twins t JOIN raw.customers r ON r.line = t.line
  GROUP BY r.customer_id, r.age_group, r.gender, r.region, r.signup_date, r.sustainability_preference, r.style_preferences, r.price_band, r.personalisation_consent
),
others AS (SELECT t.line, k.line IS NULL AS copied, t.line <> t.first_line AS again FROM twins t LEFT JOIN kinds k ON k.line = t.line),
-- One row that takes consent back, or does not say it, takes it back for the customer.
consents AS (
  SELECT customer_id, MIN(CASE WHEN consent THEN 1 ELSE 0 END) = 1 AS by_all, MAX(CASE WHEN consent THEN 1 ELSE 0 END) = 1 AS by_any
  FROM twins GROUP BY customer_id
),
numbered AS (
  SELECT w.*, CASE WHEN w.signed_up BETWEEN DATE '1900-01-01' AND $exported_on THEN w.signed_up END AS signup_date,
         o.copied, o.again, c.by_any AND NOT c.by_all AS contradicted
  FROM written w
  LEFT JOIN others o ON o.line = w.line
  LEFT JOIN consents c ON c.customer_id = w.customer_id
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
       COALESCE(consent AND contradicted IS NOT TRUE, false) AS personalisation_consent,
       line,
       CASE WHEN customer_id IS NULL THEN 'no_customer_id'
            WHEN copied THEN 'late_copy'
            WHEN again THEN 'customer_twice' END AS set_aside,
       concat_ws(' ', CASE WHEN gender IS NULL THEN 'no_gender' END,
                      CASE WHEN age_group IS NULL THEN 'no_age_group' END,
                      CASE WHEN price_band IS NULL THEN 'no_price_band' END,
                      CASE WHEN sustainability_preference IS NULL THEN 'no_sustainability_preference' END,
                      CASE WHEN styles IS NULL THEN 'no_styles' END,
                      CASE WHEN region IS NULL OR region NOT IN ('Berlin', 'North', 'West', 'South', 'East', 'Austria', 'Switzerland') THEN 'unknown_region' END,
                      CASE WHEN signup_date IS NULL THEN 'bad_signup_date' END,
                      CASE WHEN contradicted THEN 'consent_contradicted'
                           WHEN consent IS NULL THEN 'consent_unclear'
                           WHEN NOT consent THEN 'no_consent' END) AS surprises
FROM numbered
