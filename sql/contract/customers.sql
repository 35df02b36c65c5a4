/*---
description: A registered customer.
key: [customer_id]
columns:
  customer_id: {need: must, meaning: names the customer}
  signup_date: {need: may, also: [registered_on, joined], without: how long somebody has been a customer is not known}
  personalisation_consent: {need: should, also: [consent], without: "nobody's behaviour is used, until shop.consent in params.yaml says not_asked (everybody's may be) or nobody"}
  country: {need: may, without: every customer may be sent everything that is on sale}
  region: {need: may, without: what is popular is popular in the whole shop}
  age_group: {need: may, without: nothing is said by age}
  gender: {need: may, without: nothing is lost but a segment that could be looked at}
  price_band: {need: may, without: what others with the same budget pay is what all pay}
  sustainability_preference: {need: may, without: nothing is said of who asks for sustainability}
  styles: {need: may, without: descriptions are not held against what a customer ticked}
---*/
SELECT mapped.*,
       CAST(NULL AS DATE) AS signup_date,
       -- Where rows do not say it, the shop does.
       $consent AS personalisation_consent,
       -- A pattern that every list of countries meets.
       '%' AS country,
       CAST(NULL AS VARCHAR) AS region, CAST(NULL AS VARCHAR) AS age_group, CAST(NULL AS VARCHAR) AS gender, CAST(NULL AS VARCHAR) AS price_band,
       CAST(NULL AS VARCHAR) AS sustainability_preference, CAST(NULL AS VARCHAR) AS styles,
       CAST(NULL AS VARCHAR) AS set_aside, '' AS surprises
FROM mapped
