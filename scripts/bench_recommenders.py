"""`make bench-recommenders DATA=<folder>`: our models on public data that you have fetched, with implicit and lightgbm beside them.

    python scripts/bench_recommenders.py REFEREES DATA > reports/recommenders.md
    python scripts/bench_recommenders.py --invent DATA     files that look like the public ones, to try it without them

REFEREES: the example `referees` of crates/recommenders, built; see it for the files of DATA.  Peers run in this process, on as
many threads and with the same settings; every time is the median of some fits, ours and the peer's in one run.
"""

import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

THREADS = 2
# implicit threads by itself, and warns of a library that does too.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
INVENTED = "INVENTED"


def invent(folder: pathlib.Path) -> None:
    """Users and items of eight kinds, queries whose labels follow some columns."""
    lot = random.Random(7)
    users, items = 943, 1682
    kind_of = [lot.randrange(8) for _ in range(items)]
    of_kind = [[item for item in range(items) if kind_of[item] == kind] for kind in range(8)]
    seen: list[list[int]] = []
    for _ in range(users):
        likes = lot.sample(range(8), 3)
        wanted = 20 + int(lot.expovariate(1 / 85))
        chosen: dict[int, None] = {}
        for _ in range(wanted):
            among = of_kind[lot.choice(likes)] if lot.random() < 0.7 else range(items)
            chosen[among[int(len(among) * lot.random() ** 2)]] = None
        seen.append(list(chosen))
    for part in ("ml-100k", "ml-100k-tois", "lambdarank"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    lines = [f"{user}\t{item}\t{lot.choice([3, 4, 4, 5])}\t{1000 * user + at}" for user, own in enumerate(seen) for at, item in enumerate(own)]
    (folder / "ml-100k/u.data").write_text("\n".join(lines) + "\n")
    (folder / "beauty.txt").write_text("\n".join(f"{user} {item}" for user, own in enumerate(seen) for item in own[:12]) + "\n")
    for name, taken in (("train", lambda at: at % 5), ("test", lambda at: at % 5 == 0)):
        rows = [" ".join(map(str, [user, *(item for at, item in enumerate(own) if taken(at))])) for user, own in enumerate(seen)]
        (folder / f"ml-100k-tois/{name}.txt").write_text("\n".join(rows) + "\n")
    for name, queries in (("rank.train", 201), ("rank.test", 50)):
        counts, rows = [], []
        for _ in range(queries):
            counts.append(lot.randint(5, 25))
            for _ in range(counts[-1]):
                cells = {column: lot.random() for column in lot.sample(range(300), 95)}
                label = min(4, int(5 * (cells.get(3, 0.4) + cells.get(7, 0.4) + lot.random()) / 3))
                rows.append(f"{label} " + " ".join(f"{column}:{value:.3f}" for column, value in sorted(cells.items())))
        (folder / "lambdarank" / name).write_text("\n".join(rows) + "\n")
        (folder / "lambdarank" / f"{name}.query").write_text("\n".join(map(str, counts)) + "\n")
    (folder / INVENTED).write_text("by scripts/bench_recommenders.py --invent\n")


def median(fits: int, work) -> float:
    times = []
    for _ in range(fits):
        since = time.perf_counter()
        work()
        times.append(time.perf_counter() - since)
    return statistics.median(times)


def rows(page: str, protocol: str) -> list[list[str]]:
    """The cells of a protocol's table, without its head."""
    _, found, rest = page.partition(f"## {protocol}\n")
    lines = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| ")][1:] if found else []
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def against_implicit(page: str, data: pathlib.Path) -> list[str]:
    import implicit
    import numpy
    import scipy.sparse

    ratings = numpy.loadtxt(data / "ml-100k/u.data", dtype=numpy.int64)
    matrix = scipy.sparse.csr_matrix((numpy.ones(len(ratings), dtype=numpy.float32), (ratings[:, 0], ratings[:, 1])))
    lines = []
    for cells in rows(page, "ials-sweeps"):
        factors, sweeps = (int(word) for word in cells[0].split() if word.isdigit())

        def fit() -> None:
            model = implicit.als.AlternatingLeastSquares(
                factors=factors, iterations=sweeps, regularization=10.0, alpha=5.0, use_gpu=False, num_threads=THREADS, random_state=0
            )
            model.fit(matrix, show_progress=False)

        fit()
        theirs = 1e3 * median(5, fit) / sweeps
        ours = float(cells[2])
        lines.append(f"| iALS, {factors} factors: milliseconds a sweep | {ours:.2f} | implicit {implicit.__version__} | {theirs:.2f} | {ours / theirs:.2f} |")
    return lines


def against_lightgbm(page: str, data: pathlib.Path) -> list[str]:
    import lightgbm
    import numpy

    found = rows(page, "lambdarank")
    if not found:
        return []
    sets = {}
    for name in ("rank.train", "rank.test"):
        read = [line.split() for line in (data / "lambdarank" / name).read_text().splitlines()]
        width = 1 + max(int(cell.split(":")[0]) for path in ("rank.train", "rank.test")
                        for line in (data / "lambdarank" / path).read_text().splitlines() for cell in line.split()[1:])
        matrix = numpy.zeros((len(read), width))
        for row, cells in enumerate(read):
            for cell in cells[1:]:
                column, value = cell.split(":")
                matrix[row, int(column)] = float(value)
        counts = [int(line) for line in (data / "lambdarank" / f"{name}.query").read_text().split()]
        sets[name] = (matrix, numpy.array([int(float(cells[0])) for cells in read]), counts)
    settings = {
        "objective": "lambdarank", "learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": 50, "min_sum_hessian_in_leaf": 5.0,
        "lambdarank_truncation_level": 30, "num_threads": THREADS, "deterministic": True, "force_row_wise": True, "verbosity": -1,
    }
    matrix, labels, counts = sets["rank.train"]
    kept = {}

    def fit() -> None:
        kept["model"] = lightgbm.train(settings, lightgbm.Dataset(matrix, labels, group=counts), num_boost_round=100)

    fit()
    theirs = median(3, fit)
    matrix, labels, counts = sets["rank.test"]
    scores, start, ndcg = kept["model"].predict(matrix), 0, {1: [], 3: [], 5: [], 10: []}
    for count in counts:
        of_query, gains = scores[start : start + count], 2.0 ** labels[start : start + count] - 1
        start += count
        for places, values in ndcg.items():
            discounts = 1 / numpy.log2(numpy.arange(min(places, count)) + 2)
            best = (numpy.sort(gains)[::-1][:places] * discounts).sum()
            ranked = (gains[numpy.argsort(-of_query, kind="stable")][:places] * discounts).sum()
            values.append(ranked / best if best > 0 else 1.0)
    ours = float(found[0][-1])
    told = ", ".join(f"{statistics.fmean(values):.4f}" for values in ndcg.values())
    return [
        f"| LambdaMART, 100 trees: seconds | {ours:.2f} | lightgbm {lightgbm.__version__} | {theirs:.2f} | {ours / theirs:.2f} |",
        f"| the same: N@1, N@3, N@5, N@10 | {', '.join(found[0][2:6])} | | {told} | |",
    ]


def main() -> None:
    if sys.argv[1] == "--invent":
        return invent(pathlib.Path(sys.argv[2]))
    referees, data = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    done = subprocess.run([referees, data], capture_output=True, text=True, env={**os.environ, "RAYON_NUM_THREADS": str(THREADS)})
    if done.returncode:
        sys.exit(done.stderr)
    page = done.stdout
    lines = [
        *(against_implicit(page, data) if (data / "ml-100k/u.data").exists() else []),
        *against_lightgbm(page, data),
    ]
    if (data / INVENTED).exists():
        page = page.replace("\n", "\n\nThe data is invented, to try this page: its figures say nothing of the models, and only times can be compared.\n", 1)
    print(page.rstrip())
    if lines:
        print(f"\n## Beside implicit and lightgbm\nThe same data and settings, {THREADS} threads each, one after the other in one run.\n")
        print("| what | ours | peer | theirs | ours / theirs |\n|---|---:|---|---:|---:|")
        print("\n".join(lines))


if __name__ == "__main__":
    main()
