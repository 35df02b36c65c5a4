"""What DuckDB needs for the same answers: peer.py FOLDER THREADS plain|tuned|asof.  Prints the seconds."""

import sys
import time

import duckdb

folder, threads, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
# The join that a feature file holds.
PLAIN = """
SELECT g.customer_id, g.as_of,
       COUNT(*) FILTER (WHERE e.event_time >= g.as_of - INTERVAL '30' DAY) AS events_30d,
       COUNT(*) FILTER (WHERE e.event_type = 'purchase' AND e.event_time >= g.as_of - INTERVAL '90' DAY) AS purchases_90d,
       SUM(e.paid_cents) FILTER (WHERE e.event_type = 'purchase' AND e.event_time >= g.as_of - INTERVAL '90' DAY) AS spend_cents_90d,
       MAX(e.event_time) AS last_event
FROM moments g LEFT JOIN events e ON e.customer_id = g.customer_id AND e.event_time < g.as_of
GROUP BY g.customer_id, g.as_of"""
# What an expert writes instead: moments and events in one stream, and RANGE windows over twice the microseconds, odd for
# an event and even for a moment, so that a window ends just before its moment.
DAY = 2 * 86_400_000_000
TUNED = f"""
WITH stream AS (
  SELECT customer_id, 2 * epoch_us(event_time) + 1 AS place, 1 AS event, CAST(event_type = 'purchase' AS INTEGER) AS bought,
         CASE WHEN event_type = 'purchase' THEN paid_cents END AS cents, event_time AS happened, NULL::TIMESTAMP AS as_of
  FROM events
  UNION ALL
  SELECT DISTINCT customer_id, 2 * epoch_us(as_of), 0, 0, NULL, NULL, as_of FROM moments),
counted AS (
  SELECT customer_id, as_of, SUM(event) OVER month AS events_30d, SUM(bought) OVER quarter AS purchases_90d,
         SUM(cents) OVER quarter AS spend_cents_90d, MAX(happened) OVER past AS last_event
  FROM stream
  WINDOW month AS (PARTITION BY customer_id ORDER BY place RANGE BETWEEN {30 * DAY} PRECEDING AND CURRENT ROW),
         quarter AS (PARTITION BY customer_id ORDER BY place RANGE BETWEEN {90 * DAY} PRECEDING AND CURRENT ROW),
         past AS (PARTITION BY customer_id ORDER BY place RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))
SELECT * FROM counted WHERE as_of IS NOT NULL"""
ASOF = """
SELECT g.customer_id, g.as_of, e.paid_cents AS last_cents
FROM (SELECT DISTINCT customer_id, as_of FROM moments) g
ASOF LEFT JOIN events e ON e.customer_id = g.customer_id AND e.event_time < g.as_of"""

query = {"plain": PLAIN, "tuned": TUNED, "asof": ASOF}[how]
connection = duckdb.connect()
connection.execute(f"SET threads = {threads}")
for table in ("events", "moments"):
    connection.execute(f"CREATE VIEW {table} AS FROM '{folder}/work/ingest/{table}.parquet'")
start = time.monotonic()
connection.execute(
    f"COPY ({query} ORDER BY customer_id, as_of) TO '{folder}/peer_{how}.parquet' (FORMAT parquet, COMPRESSION zstd)"
)
print(time.monotonic() - start)
