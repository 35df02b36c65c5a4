"""The cleaning of transactions by DuckDB: clean.py PROJECT THREADS.  Prints the seconds.

It runs the product's own sql/sources/transactions.sql, from the CSV to Parquet sorted by its key, with the row's line, what
was set aside and what was odd.  The product's functions are macros here, which read the spellings that the export has and no
others; what is known of customers and articles is read from the tables that the product's own ingest left behind.
"""

import re
import sys
import time
from pathlib import Path

import duckdb

project, threads = Path(sys.argv[1]), int(sys.argv[2])
MACROS = r"""
CREATE MACRO given(x) AS CASE WHEN lower(trim(x)) IN ('', 'null', 'none', 'n/a', 'na', '-', 'nan') THEN NULL ELSE trim(x) END;
CREATE MACRO identifier(x) AS given(x);
CREATE MACRO whole_number(x) AS regexp_replace(given(x), '[.]0+$', '');
CREATE MACRO moment(x, zone) AS try_strptime(given(x), ['%Y-%m-%dT%H:%M:%SZ', '%Y-%m-%dT%H:%M:%S', '%Y-%m-%d %H:%M:%S', '%d.%m.%Y %H:%M:%S', '%Y-%m-%d']);
CREATE MACRO day_first(x) AS regexp_matches(x, '^[0-9]{2}[.][0-9]{2}[.][0-9]{4}');
CREATE MACRO own_offset(x) AS regexp_matches(x, '(Z|[+-][0-9]{2}:?[0-9]{2})$');
CREATE MACRO plain(x) AS trim(replace(replace(given(x), '€', ''), 'EUR', ''));
CREATE MACRO amount(x, currency) AS TRY_CAST(CASE WHEN plain(x) LIKE '%,__' THEN replace(replace(plain(x), '.', ''), ',', '.') ELSE plain(x) END AS DECIMAL(12, 2));
CREATE MACRO amount_spelling(x, currency) AS CASE WHEN plain(x) LIKE '%,__' THEN 'decimal comma' WHEN plain(x) <> given(x) THEN 'currency'
  WHEN regexp_matches(plain(x), '[.][0-9]{3,}$') THEN 'rounded' END;
"""
literals = {
    "exported_at": "TIMESTAMP '2026-10-01 00:00:00' - INTERVAL '2' HOUR",
    "timezone": "'Europe/Berlin'",
}
params = (project / "params.yaml").read_text()


def literal(name):
    """A parameter of the file as it stands in params.yaml."""
    if name in literals:
        return literals[name]
    value = re.search(rf"^  {name}: ([^#\n]*)", params, re.M).group(1).strip()
    days = re.fullmatch(r"(\d+) days?", value)
    return f"INTERVAL '{days.group(1)}' DAY" if days else value


text = (project / "sql/sources/transactions.sql").read_text().split("---*/")[1]
text = re.sub(r"\$(\w+)", lambda name: literal(name.group(1)), text)
# Whole numbers divide to whole numbers there, to fractions here.
text = text.replace("AS BIGINT) / (", "AS BIGINT) // (")
connection = duckdb.connect()
connection.execute(f"SET threads = {threads}")
connection.execute("CREATE SCHEMA raw; CREATE SCHEMA sources;" + MACROS)
for table in ("customers", "products"):
    connection.execute(f"CREATE VIEW sources.{table} AS FROM '{project}/work/ingest/{table}.parquet'")
start = time.monotonic()
connection.execute(
    f"""CREATE TABLE raw.transactions AS SELECT row_number() OVER () + 1 AS line, *
        FROM read_csv('{project}/materials/transactions.csv', all_varchar = true, header = true)"""
)
connection.execute(f"CREATE TABLE judged AS {text}")
connection.execute(
    f"""COPY (SELECT * EXCLUDE (set_aside, surprises) FROM judged WHERE set_aside IS NULL ORDER BY transaction_id)
        TO '{project}/peer_transactions.parquet' (FORMAT parquet, COMPRESSION zstd)"""
)
connection.execute(
    f"""COPY (SELECT line, set_aside FROM judged WHERE set_aside IS NOT NULL ORDER BY line)
        TO '{project}/peer_rejected.parquet' (FORMAT parquet, COMPRESSION zstd)"""
)
connection.execute("SELECT s, COUNT(*) FROM (SELECT unnest(string_split(surprises, ' ')) AS s FROM judged) GROUP BY s").fetchall()
print(time.monotonic() - start)
