"""Generated shops of any size."""

import shutil
from pathlib import Path

import numpy
import pyarrow
import pyarrow.parquet

HERE = Path(__file__).resolve().parent


def large_shop(folder, events):
    """A shop whose customers are as uneven as in life: a project, its events, and a moment for every tenth of them."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "project", folder, ignore=shutil.ignore_patterns("asof"))
    ingest = folder / "work" / "ingest"
    ingest.mkdir(parents=True)
    random = numpy.random.default_rng(events)
    customers = max(events // 50, 10)
    share = numpy.arange(1, customers + 1) ** -0.8
    customer = random.choice(customers, events, p=share / share.sum())
    at = 1_700_000_000_000_000 + random.integers(0, 1095 * 86_400_000_000, events)
    kind = random.choice(4, events, p=[0.6, 0.15, 0.2, 0.05])
    names = pyarrow.array(["browse", "wishlist", "purchase", "return"])
    table = {
        "customer_id": customer,
        "product_id": random.integers(0, 50_000, events),
        "event_time": pyarrow.array(at, pyarrow.timestamp("us")),
        "event_type": names.take(pyarrow.array(kind)),
        "paid_cents": numpy.where(kind == 2, random.integers(500, 30_000, events), 0),
    }
    pyarrow.parquet.write_table(pyarrow.table(table), ingest / "events.parquet", row_group_size=1 << 20, compression="zstd")
    moment = random.choice(events, events // 10, replace=False)
    moments = {"customer_id": customer[moment], "as_of": pyarrow.array(at[moment], pyarrow.timestamp("us"))}
    pyarrow.parquet.write_table(pyarrow.table(moments), ingest / "moments.parquet", compression="zstd")
    return folder
