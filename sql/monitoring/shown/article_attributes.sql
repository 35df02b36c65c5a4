/*---
name: article_attributes
description: What can be said of each article and on which of its days on sale - a number (its value is empty), or one of several values; a UNION more is an attribute more.
key: [product_id, season, attribute, value]
kept: false
---*/
WITH articles AS (SELECT *, on_sale_from AS holds_from, on_sale_until AS holds_until FROM sources.products),
-- Lists as typed in: each entry is a value of its own, so an article may have several.
tags AS (SELECT product_id, season, holds_from, holds_until, trim(unnest(string_to_array(season_tags, ';'))) AS tag FROM articles),
certificates AS (SELECT product_id, season, holds_from, holds_until, trim(unnest(string_to_array(certificates, ';'))) AS certificate FROM articles)
SELECT product_id, season, 'list price' AS attribute, '' AS value, CAST(price_eur AS DECIMAL(18, 4)) AS amount, holds_from, holds_until
FROM articles WHERE price_eur IS NOT NULL
UNION ALL
SELECT product_id, season, 'sustainability score', '', CAST(sustainability_score AS DECIMAL(18, 4)), holds_from, holds_until
FROM articles WHERE sustainability_score IS NOT NULL
UNION ALL
SELECT product_id, season, 'newness', concat('in the shop for less than ', CAST(date_part('day', $new_for) AS INT), ' days'), CAST(1 AS DECIMAL(18, 4)), holds_from, LEAST(holds_until, CAST(holds_from + $new_for - INTERVAL '1' DAY AS DATE)) FROM articles
UNION ALL
SELECT product_id, season, 'category', COALESCE(NULLIF(trim(category), ''), 'not given'), CAST(1 AS DECIMAL(18, 4)), holds_from, holds_until FROM articles
UNION ALL
SELECT product_id, season, 'brand', COALESCE(NULLIF(trim(brand), ''), 'not given'), CAST(1 AS DECIMAL(18, 4)), holds_from, holds_until FROM articles
UNION ALL
SELECT product_id, season, 'colour', COALESCE(NULLIF(trim(colour), ''), 'not given'), CAST(1 AS DECIMAL(18, 4)), holds_from, holds_until FROM articles
UNION ALL
SELECT product_id, season, 'material', COALESCE(NULLIF(trim(material), ''), 'not given'), CAST(1 AS DECIMAL(18, 4)), holds_from, holds_until FROM articles
UNION ALL
SELECT product_id, season, 'sender', COALESCE(NULLIF(trim(fulfilment), ''), 'not given'), CAST(1 AS DECIMAL(18, 4)), holds_from, holds_until FROM articles
UNION ALL
SELECT DISTINCT product_id, season, 'time of year', tag, CAST(1 AS DECIMAL(18, 4)), holds_from, holds_until FROM tags WHERE tag <> ''
UNION ALL
SELECT DISTINCT product_id, season, 'certificate', certificate, CAST(1 AS DECIMAL(18, 4)), holds_from, holds_until FROM certificates WHERE certificate <> ''
UNION ALL
SELECT product_id, season, 'certificate', 'none', CAST(1 AS DECIMAL(18, 4)), holds_from, holds_until FROM articles WHERE COALESCE(trim(certificates), '') = ''
