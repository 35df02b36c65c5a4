/*---
name: article_style
version: 1
entity: product
owner: style
description: What the article's description says, as a short vector.
columns:
  style_vector:
    {unit: vector, meaning: "the description's vector, reduced", driver: style,
     reasons: [{say: "described like things that others kept"}]}
---*/
SELECT g.product_id, g.season, g.as_of, e.reduced AS style_vector
FROM grain.product g
LEFT JOIN embeddings.products e ON e.product_id = g.product_id AND e.season = g.season
