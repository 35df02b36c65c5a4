/*---
description: An article; where numbers are used again, in one season's catalogue.
key: [product_id, season]
keys: [german_words]
columns:
  product_id: {need: must, meaning: the article's number}
  season: {need: may, shared: true, without: "one catalogue; nothing is said of collections, and a number names one article for good"}
  product_name: {need: should, also: [name, title], without: pages name articles by their number}
  description: {need: should, without: "the name stands for it; without a name either, no text is compared"}
  price_eur: {need: should, also: [price, list_price], without: nothing is said of prices}
  category: {need: may, also: [department, kind], without: nothing is said of kinds of articles}
  brand: {need: may, without: nothing is said of brands}
  colour: {need: may, without: nothing is said of colours}
  material: {need: may, without: nothing is said of materials}
  certificates: {need: may, without: nothing is said of certificates}
  sustainability_score: {need: may, without: nothing is said of sustainability}
  season_tags: {need: may, without: when something is worn is not known}
  fulfilment: {need: may, without: who sends an article is not known}
  ships_to: {need: may, without: everything may be sent to every customer}
  on_sale_from: {need: should, without: "every article counts as on sale since ever, and none as new"}
  on_sale_until: {need: should, without: every article counts as on sale without an end}
---*/
WITH named AS (
  SELECT mapped.*, 'all' AS season, CAST(NULL AS VARCHAR) AS product_name, CAST(NULL AS DECIMAL(12, 2)) AS price_eur,
         CAST(NULL AS VARCHAR) AS category, CAST(NULL AS VARCHAR) AS brand, CAST(NULL AS VARCHAR) AS colour, CAST(NULL AS VARCHAR) AS material,
         CAST(NULL AS VARCHAR) AS certificates, CAST(NULL AS DECIMAL(6, 2)) AS sustainability_score, CAST(NULL AS VARCHAR) AS season_tags,
         CAST(NULL AS VARCHAR) AS fulfilment,
         (SELECT string_agg(c.country, ';' ORDER BY c.country) FROM (SELECT DISTINCT country FROM sources.customers) c) AS ships_to,
         DATE '1900-01-01' AS on_sale_from, DATE '2199-12-31' AS on_sale_until,
         CAST(NULL AS VARCHAR) AS set_aside, '' AS surprises
  FROM mapped
)
SELECT named.*, named.product_name AS description, named.season AS first_season,
       named.on_sale_from >= DATE '1970-01-01' AS has_beginning, named.on_sale_until <= $exported_on + INTERVAL '10' YEAR AS has_end
FROM named
