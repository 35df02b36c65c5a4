"""Hold the encoder against sentence-transformers on the same texts, in one run.

    python scripts/bench_encoder.py SELVEDGE MODEL [TEXTS]    10,000 texts unless told otherwise; see `make bench-encoder`

Writes reports/encoder.md.
Ours is timed twice: the whole `embeddings` stage as a user meets it, with loading, hashing, Parquet and the reduction; and
encoding, which is that less a second run in which every vector is remembered.  Theirs
is `encode` alone, batch 32, after loading and a first small batch, on two threads; it runs half before and half after ours,
so that a machine that gets slower or busier meets both.  Descriptions are invented, each different, from 5 to 120 words.
"""

import csv
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter

import numpy as np
import pyarrow.parquet as parquet
import torch
from sentence_transformers import SentenceTransformer

# As in crates/sentence-encoder/src/blocks.rs.
BLOCK = 384
ROOT = pathlib.Path(__file__).resolve().parent.parent
WORDS = """coat shirt dress scarf jumper trousers made from organic cotton linen recycled polyester wool hemp soft warm light
sturdy cut by hand in Portugal with deep pockets and a wide collar for cold mornings, long walks or the office. Weicher Stoff
aus zertifizierter Baumwolle, fair genäht, für Frühling und Herbst; größere Passform, waschbar bei 30 °C. The seams are
double-stitched, dyed without chrome, GOTS certified, washed once so that it keeps its shape""".split()


def descriptions(count: int) -> list[str]:
    draw = random.Random(7)
    lengths = [min(120, max(5, int(draw.lognormvariate(3.6, 0.5)))) for _ in range(count)]
    return [f"{' '.join(draw.choices(WORDS, k=length))} {number}" for number, length in enumerate(lengths)]


def project(folder: pathlib.Path, model: pathlib.Path, texts: list[str]) -> None:
    """The product's own SQL and parameters, over a catalogue of these texts."""
    (folder / "sql").symlink_to(ROOT / "sql")
    params = (ROOT / "params.yaml").read_text().replace("model: .minilm", f"model: {model}")
    (folder / "params.yaml").write_text(params.replace("max_set_aside_share: 0.2", "max_set_aside_share: 1.0"))
    materials = folder / "materials"
    materials.mkdir()
    for source in (ROOT / "materials").glob("*.csv"):
        if source.name != "products.csv":
            (materials / source.name).write_bytes(source.read_bytes())
    with open(ROOT / "materials/products.csv", newline="") as source:
        rows = list(csv.DictReader(source))
    with open(materials / "products.csv", "w", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys())
        writer.writeheader()
        writer.writerows(row | {"description": ""} for row in rows)
        for number, text in enumerate(texts):
            writer.writerow(rows[number % len(rows)] | {"product_id": f"bench-{number}", "description": text})


def stage(program: str, folder: pathlib.Path, name: str) -> float:
    started = time.perf_counter()
    subprocess.run([program, name, "--root", folder], check=True)
    return time.perf_counter() - started


def encoded(model: SentenceTransformer, texts: list[str]) -> tuple[np.ndarray, float]:
    started = time.perf_counter()
    vectors = model.encode(texts, batch_size=32, normalize_embeddings=True)
    return vectors, time.perf_counter() - started


def products_alone(lengths: list[int]) -> float:
    """Seconds that torch takes on one thread for the matrix products alone, without anything between them: those with the
    weights over blocks of BLOCK tokens, those of attention text by text."""
    torch.set_num_threads(1)

    def quickest(left: tuple, right: tuple) -> float:
        left, right, best = torch.randn(left), torch.randn(right), float("inf")
        for _ in range(5):
            started = time.perf_counter()
            left @ right
            best = min(best, time.perf_counter() - started)
        return best

    hidden, inner, heads, layers = 384, 1536, 12, 6
    weights = [(hidden, 3 * hidden), (hidden, hidden), (hidden, inner), (inner, hidden)]
    total = sum(lengths) / BLOCK * sum(quickest((BLOCK, shape[0]), shape) for shape in weights)
    for length, count in Counter(lengths).items():
        scores = quickest((heads, length, hidden // heads), (heads, hidden // heads, length))
        total += count * (scores + quickest((heads, length, length), (heads, length, hidden // heads)))
    return layers * total


def main() -> None:
    load = os.getloadavg()[0]
    program, model = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    texts = descriptions(int(sys.argv[3]) if len(sys.argv) > 3 else 10_000)
    torch.set_num_threads(2)
    theirs = SentenceTransformer(str(model), device="cpu")
    lengths = [len(ids) for ids in theirs.tokenizer(texts, truncation=True, max_length=256)["input_ids"]]
    tokens = sum(lengths)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        project(folder, model, texts)
        stage(program, folder, "ingest")
        theirs.encode(texts[:64], batch_size=32)
        half = len(texts) // 2
        first, before = encoded(theirs, texts[:half])
        our_seconds = stage(program, folder, "embeddings")
        encoding = our_seconds - stage(program, folder, "embeddings")
        second, after = encoded(theirs, texts[half:])
        table = parquet.read_table(folder / "work/embeddings/products.parquet", columns=["product_id", "vector"])
        ours = dict(zip(table["product_id"].to_pylist(), table["vector"].to_pylist()))
    their_seconds = before + after
    pairs = [(ours[f"bench-{number}"], vector) for number, vector in enumerate([*first, *second])]
    likeness = min(float(np.dot(our, their)) for our, their in pairs)
    products = products_alone(lengths) / 2
    named = {
        "selvedge, the whole stage": our_seconds,
        "selvedge, encoding": encoding,
        "sentence-transformers 3.3.1, encoding, batch 32": their_seconds,
    }
    rows = [
        f"| {name} | {seconds:.1f} | {len(texts) / seconds:.1f} | {tokens / seconds:,.0f} | {their_seconds / seconds:.2f} |\n"
        for name, seconds in named.items()
    ]
    report = (
        f"# How fast descriptions become vectors\n\n{len(texts):,} invented descriptions, {tokens:,} tokens, on two threads, in one "
        f"run; the vectors are alike to {likeness:.6f} or more. Made by `make bench-encoder`; load at the start {load:.1f}.\n\n"
        f"| | seconds | texts a second | tokens a second | times as fast as theirs |\n|---|---:|---:|---:|---:|\n{''.join(rows)}\n"
        f"The matrix products alone, replayed by torch, take {products:.1f} s on two threads: {100 * products / our_seconds:.0f} % of the stage.\n"
    )
    (ROOT / "reports" / "encoder.md").write_text(report)
    print(report)


if __name__ == "__main__":
    main()
