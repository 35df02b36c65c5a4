/*---
name: attribute_words
description: How each attribute is told - a number's unit and what more and less of it is called, or what stands before a value.
key: [attribute]
---*/
SELECT * FROM (VALUES
  ('list price', 'euros', 'dearer', 'cheaper', NULL),
  ('sustainability score', 'points', 'more sustainable', 'less sustainable', NULL),
  ('newness', NULL, 'more', 'fewer', NULL),
  ('category', NULL, 'more', 'fewer', 'of category'),
  ('brand', NULL, 'more', 'fewer', 'of brand'),
  ('colour', NULL, 'more', 'fewer', 'of colour'),
  ('material', NULL, 'more', 'fewer', 'of material'),
  ('sender', NULL, 'more', 'fewer', 'sent by'),
  ('time of year', NULL, 'more', 'fewer', 'tagged'),
  ('certificate', NULL, 'more', 'fewer', 'with certificate')
) AS words (attribute, unit, more, less, before_value)
