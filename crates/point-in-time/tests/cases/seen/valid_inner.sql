SELECT e.line, g.shop, g.a, g.as_of, g.label, e.kind
FROM events e JOIN grain g ON g.shop = e.shop AND g.as_of >= e.at AND g.as_of < e.ends AND (e.kind <> g.label OR g.open)
ORDER BY e.line, g.shop, g.a, g.as_of, g.label
