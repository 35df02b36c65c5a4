/*---
description: A recommendation that was shown, with what came of it.
key: [recommendation_id]
known_from: recommended_at
outcomes: true
without: "there is no log yet: what was shown is not watched, and no drill is held"
columns:
  recommendation_id: {need: must, meaning: names the row}
  recommended_at: {need: must, also: [shown_at], meaning: "when it was shown, in UTC"}
  customer_id: {need: must, meaning: to whom}
  product_id: {need: must, meaning: which article}
  season: {need: may, shared: true, without: one catalogue}
  clicked_at: {need: should, without: clicks are not watched}
  purchased_at: {need: should, without: purchases from recommendations are not watched}
  returned_at: {need: may, without: what was bought counts as kept}
  position: {need: may, also: [place, rank], without: nothing is said of places in the list}
  model_version: {need: may, also: [model], without: nothing is said of versions of what chose}
  dismissed: {need: may, without: a recommendation is open until its purchase window has passed}
---*/
WITH shown AS (
  SELECT mapped.*, CAST(NULL AS VARCHAR) AS recommendation_id, CAST(NULL AS TIMESTAMP) AS recommended_at, CAST(NULL AS VARCHAR) AS customer_id,
         CAST(NULL AS VARCHAR) AS product_id, 'all' AS season, CAST(NULL AS TIMESTAMP) AS clicked_at, CAST(NULL AS TIMESTAMP) AS purchased_at,
         CAST(NULL AS TIMESTAMP) AS returned_at, CAST(NULL AS INT) AS position, 'not given' AS model_version, false AS dismissed,
         CAST(NULL AS VARCHAR) AS set_aside, '' AS surprises
  FROM mapped
)
SELECT shown.*, CAST(local_time(shown.recommended_at, $timezone) AS DATE) AS shown_on FROM shown
