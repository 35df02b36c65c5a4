-- clean
/*---
{name: catalogue_by_using, version: 1, entity: product, owner: growth, description: catalogue by using.,
 columns: {colour_u: {unit: count, meaning: colour u}}}
---*/
SELECT product_id, season, g.as_of, p.colour AS colour_u
FROM grain.product g JOIN sources.products p USING (product_id, season)
