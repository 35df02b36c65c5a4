/*---
name: products
file: products.csv
description: One article in one season's catalogue; only product_id and season together name an article.
key: [product_id, season]
known_from: on_sale_from
kinds: [season, category, fulfilment]
columns:
  product_id: article number, recycled between seasons
  season: catalogue, such as AW23
  product_name: name in the shop
  brand: brand, as typed in
  category: kind of article
  description: text in the shop
  price_eur: list price
  colour: colour
  material: main material
  sustainability_certifications: certificates, as typed in
  sustainability_score: from 0 to 100
  season_tags: when it is worn
  fulfilment: warehouse or brand
  ships_to: countries it may be sent to
  on_sale_from: first day in the shop
  on_sale_until: last day in the shop
set_aside:
  no_article_key: {column: product_id, found: no article number or no season, done: set aside}
  late_copy: {found: the whole row is repeated, done: "the first row is kept, the copies are set aside"}
  article_twice: {column: product_id, found: "the same number and season a second time, with other contents", done: "the first row is kept, the others are set aside"}
  bad_sale_window: {column: on_sale_from, found: "no readable first or last day of sale, or the last day before the first", done: set aside}
  unclear_price: {column: price_eur, found: "a price that can be read in two ways, such as 1,299 or 1.299", done: set aside}
  bad_price: {column: price_eur, found: no readable price above zero, done: set aside}
surprises:
  decimal_comma: {column: price_eur, found: "price typed with a decimal comma", done: read as a decimal point}
  thousands_separator: {column: price_eur, found: "price with separators for thousands", done: "read as the number it means"}
  currency_in_price: {column: price_eur, found: "price with the currency beside it", done: "read as the number it means"}
  rounded_price: {column: price_eur, found: "price with more than two decimals", done: "rounded to hundredths"}
  no_end: {column: on_sale_until, found: "a last day more than ten years after the export, which stands for no end", done: "on sale without an end"}
  no_beginning: {column: on_sale_from, found: "a first day before 1970, which stands for no beginning", done: "on sale since ever"}
  ten_point_score: {column: sustainability_score, found: "score with decimals and at most 10, typed in by the brand: a scale from 0 to 10", done: multiplied by 10}
  maybe_ten_point_score: {column: sustainability_score, found: "whole number of at most 10, typed in by the brand: it could be on either scale", done: "kept as points out of 100; ask the brand"}
  score_out_of_range: {column: sustainability_score, found: no number from 0 to 100, done: treated as missing}
  no_score: {column: sustainability_score, found: no score, done: kept as missing}
  brand_spelling: {column: brand, found: "brand typed with other spaces or capitals than usual", done: "one spelling for each brand, the most frequent that is neither all capitals nor all small"}
  certificate_spelling: {column: sustainability_certifications, found: "certificate under another spelling or separator", done: "one spelling for each certificate"}
  no_certificate: {column: sustainability_certifications, found: "no certificate, or a word for none", done: kept as none}
  vegan_of_animal: {column: sustainability_certifications, found: "a vegan certificate on an article of wool, leather, silk, cashmere or down", done: "kept as typed in; ask the brand, because one of the two is wrong"}
  german_text: {column: description, found: "description in German, where the others are in English", done: "kept; its vector says less, because the sentence model knows English best"}
  html_entities: {column: description, found: "HTML codes such as &amp;, or tags, in the text", done: "turned into the characters they stand for, tags left out"}
  html_in_words: {column: product_name, found: "HTML codes or tags in the name, kind, colour or material", done: "turned into the characters they stand for, tags left out"}
  word_missing: {column: brand, found: "no name, brand, kind, colour or material", done: kept as missing}
  garbled_text: {column: description, found: "letters such as Ã¤ in the name or text: it was read in another encoding than it was written in", done: "kept; ask for the export again"}
  no_description: {column: description, found: no description, done: "kept; has no description vector"}
  shared_description: {column: description, found: "the same text as an article of another number", done: "kept; both have the same description vector"}
  number_came_back: {column: product_id, found: "the number names the same article in an earlier season: it came back", done: "kept as an article of its own season, linked to the first"}
  number_reassigned: {column: product_id, found: "the number named a different article in an earlier season", done: "kept apart; the number alone is never used as a key"}
---*/
WITH written AS (
  SELECT r.*, identifier(r.product_id) AS id, upper(given(r.season)) AS season_key,
         day(r.on_sale_from, $timezone) AS written_first_day, day(r.on_sale_until, $timezone) AS written_last_day,
         amount(r.price_eur, 'EUR') AS price, amount_spelling(r.price_eur, 'EUR') AS price_spelling,
         CAST(number_between(r.sustainability_score, 0, 100) AS DECIMAL(8, 2)) AS typed_score, given(r.sustainability_score) AS score_text,
         regexp_replace(plain_text(r.brand), '\s+', ' ', 'g') AS brand_typed,
         plain_text(r.product_name) AS name, plain_text(r.category) AS kind, plain_text(r.colour) AS hue, plain_text(r.material) AS cloth,
         lower(given(r.fulfilment)) AS sent_by, plain_text(r.description) AS text
  FROM raw.products r
),
cleaned AS (
  SELECT w.*, lower(brand_typed) AS brand_key,
         -- Days that stand for none are moved to where times can still be counted.
         CASE WHEN written_first_day < DATE '1900-01-01' THEN DATE '1900-01-01' ELSE written_first_day END AS first_day, written_first_day >= DATE '1970-01-01' AS has_beginning,
         CASE WHEN written_last_day > DATE '2199-12-31' THEN DATE '2199-12-31' ELSE written_last_day END AS last_day, written_last_day <= $exported_on + INTERVAL '10' YEAR AS has_end,
         -- A table program writes every score with a point: then it says nothing.
         (score_text LIKE '%.%' OR score_text LIKE '%,%')
           AND NOT (score_text LIKE '%.0' AND MAX(CASE WHEN score_text LIKE '%.0' AND typed_score > 10 THEN 1 ELSE 0 END) OVER () = 1) AS has_decimals
  FROM written w
),
-- One row per article and certificate as typed; a word for no is none.
typed_certificates AS (
  SELECT line, unnest(items(sustainability_certifications)) AS typed FROM raw.products
),
one_spelling AS (
  SELECT DISTINCT line, typed,
         CASE regexp_replace(replace(upper(typed), 'Ö', 'OE'), '[^A-Z]', '', 'g')
              WHEN 'BCORP' THEN 'B Corp' WHEN 'FAIRTRADE' THEN 'Fair Trade' WHEN 'GOTS' THEN 'GOTS' WHEN 'OEKOTEX' THEN 'OEKO-TEX'
              WHEN 'VEGANPETA' THEN 'PETA-Approved Vegan' ELSE typed END AS certificate
  FROM typed_certificates WHERE flag(typed) IS NOT FALSE
),
certificates AS (
  SELECT line, string_agg(certificate, '; ' ORDER BY certificate) AS certificates, MAX(CASE WHEN typed <> certificate THEN 1 ELSE 0 END) AS respelled
  FROM one_spelling GROUP BY line
),
spellings AS (
  SELECT brand_key, brand_typed,
         ROW_NUMBER() OVER (PARTITION BY brand_key ORDER BY brand_typed IN (upper(brand_typed), brand_key), COUNT(*) DESC, brand_typed) AS place
  FROM cleaned GROUP BY brand_key, brand_typed
),
judged AS (
  SELECT c.*, s.brand_typed AS brand_name,
         k.certificates, k.respelled,
         -- Scores with a decimal point and at most 10 were typed in on a scale from 0 to 10.
         CASE WHEN c.sent_by = 'brand' AND c.has_decimals AND typed_score <= 10 THEN typed_score * 10 ELSE typed_score END AS score,
         ROW_NUMBER() OVER (PARTITION BY c.id, c.season_key ORDER BY c.line) AS nth,
         ROW_NUMBER() OVER (PARTITION BY c.product_id, c.season, c.product_name, c.brand, c.category, c.description, c.price_eur, c.colour,
                                         c.material, c.sustainability_certifications, c.sustainability_score, c.season_tags, c.fulfilment,
                                         c.ships_to, c.on_sale_from, c.on_sale_until ORDER BY c.line) AS nth_copy,
         ROW_NUMBER() OVER (PARTITION BY c.id ORDER BY first_day, c.line) AS nth_season,
         ROW_NUMBER() OVER (PARTITION BY c.id, c.brand_key, c.kind, c.name ORDER BY first_day, c.line) AS nth_return,
         FIRST_VALUE(c.season_key) OVER (PARTITION BY c.id, c.brand_key, c.kind, c.name ORDER BY first_day, c.line) AS first_season,
         MIN(c.id) OVER (PARTITION BY c.text) <> MAX(c.id) OVER (PARTITION BY c.text) AS text_is_shared
  FROM cleaned c
  LEFT JOIN spellings s ON s.brand_key = c.brand_key AND s.place = 1
  LEFT JOIN certificates k ON k.line = c.line
)
SELECT id AS product_id, season_key AS season, name AS product_name, brand_name AS brand, kind AS category,
       text AS description, price AS price_eur, hue AS colour, cloth AS material,
       certificates,
       CAST(score AS DECIMAL(6, 2)) AS sustainability_score,
       given(season_tags) AS season_tags, sent_by AS fulfilment, given(ships_to) AS ships_to,
       first_day AS on_sale_from, last_day AS on_sale_until, has_beginning, has_end,
       first_season,
       line,
       CASE WHEN id IS NULL OR season_key IS NULL THEN 'no_article_key'
            WHEN nth_copy > 1 THEN 'late_copy'
            WHEN nth > 1 THEN 'article_twice'
            WHEN first_day IS NULL OR last_day IS NULL OR last_day < first_day THEN 'bad_sale_window'
            WHEN price_spelling = 'unclear' THEN 'unclear_price'
            WHEN price IS NULL OR price <= 0 THEN 'bad_price' END AS set_aside,
       concat_ws(' ', CASE price_spelling WHEN 'decimal comma' THEN 'decimal_comma' WHEN 'thousands' THEN 'thousands_separator'
                                          WHEN 'currency' THEN 'currency_in_price' WHEN 'rounded' THEN 'rounded_price' END,
                      CASE WHEN NOT has_beginning THEN 'no_beginning' END, CASE WHEN NOT has_end THEN 'no_end' END,
                      CASE WHEN sent_by = 'brand' AND has_decimals AND typed_score <= 10 THEN 'ten_point_score' END,
                      CASE WHEN score_text IS NULL THEN 'no_score'
                           WHEN score IS NULL THEN 'score_out_of_range' END,
                      CASE WHEN brand <> brand_name THEN 'brand_spelling' END,
                      CASE WHEN certificates IS NULL THEN 'no_certificate'
                           WHEN respelled = 1 OR sustainability_certifications LIKE '%,%' THEN 'certificate_spelling' END,
                      CASE WHEN sent_by = 'brand' AND NOT has_decimals AND typed_score <= 10 THEN 'maybe_ten_point_score' END,
                      CASE WHEN lower(certificates) LIKE '%vegan%' AND regexp_like(lower(cloth), '(^|[^a-z])(wool|leather|silk|cashmere|down)([^a-z]|$)') THEN 'vegan_of_animal' END,
                      CASE WHEN regexp_count(lower(text), '(^|[^a-zäöüß])(aus|für|und|ohne|mit|der|dem|das|von|wird|nicht|ist)([^a-zäöüß]|$)') >= $german_words THEN 'german_text' END,
                      CASE WHEN given(description) <> text THEN 'html_entities' END,
                      CASE WHEN given(product_name) <> name OR given(category) <> kind OR given(colour) <> hue OR given(material) <> cloth THEN 'html_in_words' END,
                      CASE WHEN name IS NULL OR brand_typed IS NULL OR kind IS NULL OR hue IS NULL OR cloth IS NULL THEN 'word_missing' END,
                      CASE WHEN regexp_like(concat_ws(' ', name, text), 'Ã[\x{80}-\x{bf}Ÿ„–œ]|â€|\x{fffd}') THEN 'garbled_text' END,
                      CASE WHEN text IS NULL THEN 'no_description' WHEN text_is_shared THEN 'shared_description' END,
                      CASE WHEN nth_season > 1 AND nth_return > 1 THEN 'number_came_back'
                           WHEN nth_season > 1 THEN 'number_reassigned' END) AS surprises
FROM judged
