"""`make bench`: this engine against DuckDB on generated shops, and the other figures of reports/benchmarks.md.

Runs with .venv-peers/bin/python from the repository's root, after `cargo build --release`; writes reports/benchmarks.md
and work/benchmarks/growth.csv.  Every figure is a median; ours and the peer's take turns, so that both meet the same machine.
"""

import csv
import multiprocessing
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow
import pyarrow.csv
import pyarrow.parquet

from page import SPEED, write_part
from shop import large_shop

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
OURS = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "selvedge"
SCRATCH = ROOT / "work" / "benchmarks"
RUNS = int(os.environ.get("RUNS", "3"))
# The figure of the first report: `make bench LARGEST=1000000` is done sooner.
LARGEST = int(os.environ.get("LARGEST", "10000000"))
THREADS = 2
COLUMNS = ("events_30d", "purchases_90d", "spend_cents_90d", "last_event")


def apart(work, *arguments):
    """Does work in a process of its own: the memory that a command is said to hold begins with that of who starts it."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(work, arguments)


def run(command):
    """Seconds and peak memory (MiB) of a command; stops with its words where it fails."""
    if command[0] == OURS and "features" in command:
        # What is stored and up to date would be kept rather than computed.
        for made in ("grain", "features"):
            shutil.rmtree(Path(command[command.index("--root") + 1]) / "work" / made, ignore_errors=True)
    start = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    words = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{words}")
    return seconds, usage.ru_maxrss / 1024, words


def medians(commands):
    """The commands take turns; for each the median seconds, or what it prints, and the largest memory."""
    return times(RUNS, commands)


def times(runs, commands):
    seen = [[] for _ in commands]
    for _ in range(runs):
        for command, figures in zip(commands, seen):
            seconds, memory, words = run(command)
            # DuckDB's own start is not counted.
            figures.append((float(words) if command[0] == sys.executable else seconds, memory))
    return [(statistics.median(s for s, _ in figures), max(m for _, m in figures)) for figures in seen]


def variant(folder, name, files, limit=None):
    """The same shop with other feature files, or with a limit of memory."""
    other = folder.with_name(f"{folder.name}-{name}")
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(HERE / "project", other, ignore=shutil.ignore_patterns("asof", "features"))
    (other / "sql" / "features").mkdir()
    for file, text in files.items():
        (other / "sql" / "features" / file).write_text(text)
    (other / "work").mkdir()
    (other / "work" / "ingest").symlink_to(folder / "work" / "ingest")
    if limit:
        params = other / "params.yaml"
        params.write_text(params.read_text().replace("\nengine:\n", f"\nengine:\n  memory_limit: {limit}\n"))
    return other


def ten_views(text):
    views = {}
    for n in range(10):
        view = text.replace("name: windows", f"name: windows{n}").replace("'30' DAY", f"'{7 * n + 7}' DAY")
        for column in COLUMNS:
            view = view.replace(column, f"{column}_{n}")
        views[f"windows{n}.sql"] = view
    return views


def large_export(folder, rows, table, own, crowd=None):
    """The product's own shop with its customers, and what a table says of them, many times over: nobody does more than a person can.
    `own` names the columns of the table that are a copy's own; where there is a `crowd`, so many copies of the customers share them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for part in ("sql", "materials", "params.yaml"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)

    def repeated(table, copies, own, keep, crowd):
        source = list(csv.reader(open(ROOT / "materials" / table, encoding="utf-8", newline="")))
        head, body = source[0], source[1:]
        own = [n for n, name in enumerate(head) if name in own]
        with open(folder / "materials" / table, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(head)
            writer.writerows(body if keep else [])
            for copy in range(copies):
                who = copy % crowd if crowd else copy
                name = {n: who if head[n] == "customer_id" else copy for n in own}
                writer.writerows([f"{value}-{name[n]}" if n in name and value else value for n, value in enumerate(row)] for row in body)
        return copies * len(body)

    copies = -(-rows // sum(1 for _ in csv.reader(open(ROOT / "materials" / table, encoding="utf-8", newline=""))))
    repeated("customers.csv", crowd or copies, ("customer_id",), keep=True, crowd=None)
    return repeated(table, copies, own, keep=False, crowd=crowd)


def many_views(folder, count):
    """A small shop with so many feature files, all of them computed from its CSVs."""
    large_shop(folder, 100_000)
    (folder / "materials").mkdir()
    for table in ("events", "moments"):
        rows = pyarrow.parquet.read_table(folder / "work" / "ingest" / f"{table}.parquet")
        pyarrow.csv.write_csv(rows, folder / "materials" / f"{table}.csv")
    features = folder / "sql" / "features"
    text = (features / "windows.sql").read_text()
    for n in range(1, count):
        view = text.replace("name: windows", f"name: windows{n}")
        for column in COLUMNS:
            view = view.replace(column, f"{column}_{n}")
        (features / f"windows{n}.sql").write_text(view)
    for stage in ("ingest", "features"):
        run([OURS, stage, "--root", folder, "--partitions", THREADS])
    return folder


def differ(folder):
    """How many of our rows are not DuckDB's."""
    answers = f"FROM '{folder}/work/features/windows.parquet' EXCEPT ALL FROM '{folder}/peer_tuned.parquet'"
    return duckdb.connect().execute(f"SELECT COUNT(*) FROM ({answers})").fetchone()[0]


def cleaned_otherwise(folder):
    """How many rows of transactions ours and DuckDB's cleaning do not share."""
    columns = "transaction_id, event_time, customer_id, product_id, season, event_type, order_id, quantity, unit_price_eur, amount_eur, channel"
    ours, theirs = f"SELECT {columns} FROM '{folder}/work/ingest/transactions.parquet'", f"SELECT {columns} FROM '{folder}/peer_transactions.parquet'"
    query = f"SELECT COUNT(*) FROM (({ours} EXCEPT ALL {theirs}) UNION ALL ({theirs} EXCEPT ALL {ours}))"
    return duckdb.connect().execute(query).fetchone()[0]


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal")) >> 20
    return f"{model}, {os.cpu_count()} processors, {memory} GiB of memory; DuckDB {duckdb.__version__}; load at the start {os.getloadavg()[0]:.1f}"


def main():
    at_start = machine()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    ours = lambda folder: [OURS, "features", "--root", folder, "--partitions", THREADS]
    peer = lambda folder, how: [sys.executable, HERE / "peer.py", folder, THREADS, how]
    took = lambda figures: f"{figures[0]:.2f} s, {figures[1]:,.0f} MiB"
    lines, growth = [], []
    sizes = [size for size in (100_000, 1_000_000, 10_000_000) if size <= LARGEST]
    for size in sizes:
        folder = apart(large_shop, SCRATCH / f"shop-{size}", size)
        us, them = medians([ours(folder), peer(folder, "tuned")])
        if apart(differ, folder):
            sys.exit(f"{folder}: the answers differ")
        growth.append((size, us[0], them[0]))
        lines.append((f"plain SQL, {size:,} events, {size // 10:,} moments", took(us), f"DuckDB, rewritten by hand: {took(them)}", us[0] / them[0], "1"))
        if size == 1_000_000:
            (plain,) = times(1, [peer(folder, "plain")])
            lines.append((f"the same, {size:,} events", took(us), f"DuckDB, the same SQL, once: {took(plain)}", us[0] / plain[0], ""))
    large, one, size = SCRATCH / f"shop-{sizes[-1]}", growth[-1][1], sizes[-1]
    text = (HERE / "project" / "sql" / "features" / "windows.sql").read_text()
    # One view again, so that both meet the same machine.
    one, ten = medians([ours(large), ours(variant(large, "ten", ten_views(text)))])
    lines.append((f"ten such views, {size:,} events", took(ten), f"one view: {took(one)}", ten[0] / one[0], "4"))
    last = {"last_paid.sql": (HERE / "project" / "asof" / "last_paid.sql").read_text()}
    us, them = medians([ours(variant(large, "asof", last)), peer(large, "asof")])
    lines.append((f"last value before the moment, {size:,} events", took(us), f"DuckDB ASOF JOIN: {took(them)}", us[0] / them[0], "1"))
    (us,) = medians([ours(variant(large, "limit", {"windows.sql": text}, limit="512MiB"))])
    lines.append((f"plain SQL, {size:,} events, memory_limit 512MiB", took(us), f"without: {took(one)}", us[0] / one[0], ""))
    own = ("transaction_id", "order_id", "session_id", "customer_id")
    rows = apart(large_export, SCRATCH / "export", LARGEST // 2, "transactions.csv", own)
    export = SCRATCH / "export"
    us, them = medians([[OURS, "ingest", "--root", export, "--partitions", THREADS], [sys.executable, HERE / "clean.py", export, THREADS]])
    if other := cleaned_otherwise(export):
        sys.exit(f"ingest: {other} rows are not DuckDB's")
    lines.append((f"ingest of {rows:,} transactions", took(us), f"DuckDB, the same SQL file: {took(them)}", us[0] / them[0], "1"))
    if not (ROOT / "work" / "predictions.parquet").exists():
        run([OURS, "run", "--root", ROOT])
    stages = "ingest features frame monitor report"
    (us,) = medians([[OURS, "run", *stages.split(), "--root", ROOT]])
    lines.append((f"the client's export, everything but encoder, model and drills: `selvedge run {stages}`", took(us), "2 s", us[0] / 2, "1"))
    others = ["train", "evaluate", "drivers", "recommend", "drill"]
    each = [seconds for seconds, _ in medians([[OURS, stage, "--root", ROOT] for stage in others])]
    words = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in zip(others, each))
    lines.append(("the model's own stages and the drills, one command each", f"{sum(each):.1f} s", words, float("nan"), ""))
    many = apart(many_views, SCRATCH / "many", 1000)
    (us,) = medians([[OURS, "plan", "--root", many]])
    lines.append(("`selvedge plan` over 1,000 feature files, nothing to do", took(us), "0.5 s", us[0] / 0.5, "1"))
    (SCRATCH / "growth.csv").write_text("".join(f"{size},{us},{them}\n" for size, us, them in growth))
    table = "".join(f"| {work} | {us} | {against} | {'' if ratio != ratio else f'{ratio:.2f}'} | {reach} |\n" for work, us, against, ratio, reach in lines)
    write_part(
        SPEED,
        f"{SPEED}\n\nMedians of {RUNS} runs on {THREADS} threads, with the most memory that any of them held.  From Parquet to sorted Parquet; "
        f"ours includes the start of the program, the grain and every check.  `reach` is the ratio to reach.\nMade by `make bench` on: {at_start}.\n\n"
        f"| work | ours | against | ratio | reach |\n|---|---|---|---:|---:|\n{table}\n![How cost grows with events](benchmarks.png)\n",
    )
    print(table)


if __name__ == "__main__":
    main()
