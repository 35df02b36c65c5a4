/*---
name: article_facts
version: 2
entity: product
owner: catalogue
description: What the catalogue says of the article, and where its season stands.
columns:
  category: {unit: category, meaning: kind of article, driver: style, keeps: share}
  colour: {unit: category, meaning: colour, driver: style}
  material:
    {unit: category, meaning: main material, driver: sustainability,
     reasons: [{say: "made of {material}"}]}
  fulfilment: {unit: category, meaning: who ships it, keeps: difference}
  list_price:
    {unit: EUR, meaning: list price, driver: price,
     reasons: [{say: "costs less than most of what is here", than_others: lower}]}
  sustainability_score:
    {unit: points, meaning: "score from 0 to 100, NULL where the brand gave none", driver: sustainability,
     reasons: [{say: "{value} of 100 points for sustainability", above: 60, than_others: higher}]}
  certificates_count:
    {unit: certificates, meaning: how many certificates it has, driver: sustainability,
     reasons: [{say: "certified for sustainability", above: 0}]}
  days_on_sale:
    {unit: days, meaning: days since it went on sale,
     reasons: [{say: "new in the shop", below: 28}]}
  days_left:
    {unit: days, meaning: days until its season ends,
     reasons: [{say: "only {value} days left", below: 28}]}
  came_back:
    {unit: yes or no, meaning: whether it was in an earlier season's catalogue,
     reasons: [{say: "back from an earlier season", above: 0}]}
---*/
SELECT g.product_id, g.season, g.as_of, p.category, p.colour, p.material, p.fulfilment,
       CAST(p.price_eur AS DOUBLE) AS list_price,
       CAST(p.sustainability_score AS DOUBLE) AS sustainability_score,
       CASE WHEN p.certificates IS NULL THEN 0 ELSE CAST(cardinality(string_to_array(p.certificates, '; ')) AS BIGINT) END AS certificates_count,
       CASE WHEN p.has_beginning THEN (date_part('epoch', g.as_of) - date_part('epoch', CAST(p.on_sale_from AS TIMESTAMP))) / 86400 END AS days_on_sale,
       CASE WHEN p.has_end THEN (date_part('epoch', CAST(p.on_sale_until AS TIMESTAMP)) - date_part('epoch', g.as_of)) / 86400 END AS days_left,
       p.first_season <> p.season AS came_back
FROM grain.product g
JOIN sources.products p ON p.product_id = g.product_id AND p.season = g.season
