"""`make bench-cluster`: one feature view over generated shops, on this machine alone and on executors of it -> reports/cluster.md.

    python scripts/bench_cluster.py PROGRAM [EVENTS ...]

PROGRAM is selvedge-cluster, for both: what differs is where queries run.  On one machine nothing is gained by executors: what is
shown is what they cost, that the bytes are the same, and how the cost grows where each executor has little memory.
"""

import hashlib
import os
import pathlib
import platform
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "crates" / "benchmarks"))

from shop import large_shop  # noqa: E402

SCRATCH = ROOT / "work" / "benchmarks"
MEMORY = 2048


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Cluster:
    """A scheduler and executors of MEMORY MiB and one task each."""

    def __init__(self, program: pathlib.Path, folder: pathlib.Path, executors: int):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        start = lambda *arguments: subprocess.Popen([program, *arguments], stderr=subprocess.DEVNULL)
        self.running = [start("scheduler", "--port", str(self.port), "--folder", folder)]
        for _ in range(executors):
            self.running.append(start("executor", "--scheduler", self.url, "--port", str(free_port()), "--tasks", "1", "--memory", str(MEMORY)))
        end = time.monotonic() + 60
        while subprocess.run([program, "status", "--scheduler", self.url], capture_output=True, text=True).stdout.count("\nexecutor ") < executors:
            if time.monotonic() > end:
                sys.exit("error: the cluster did not start")
            time.sleep(0.2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            process.wait()


def features(program: pathlib.Path, folder: pathlib.Path, lines: str) -> tuple[float, float, str]:
    """Seconds, the most memory of the program that asks (MiB), and the hash of what it made, with more lines below `engine:`."""
    for made in ("grain", "features"):
        shutil.rmtree(folder / "work" / made, ignore_errors=True)
    params = folder / "params.yaml"
    text = params.read_text()
    params.write_text(text.replace("\nengine:\n", f"\nengine:\n{lines}"))
    try:
        began = time.monotonic()
        process = subprocess.Popen([program, "run", "--", "--root", folder, "features"], stderr=subprocess.PIPE, text=True)
        words = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        if status:
            sys.exit(words)
    finally:
        params.write_text(text)
    digest = hashlib.sha256()
    for file in sorted((folder / "work").glob("*/*.parquet")):
        if file.parent.name != "ingest":
            digest.update(file.read_bytes())
    return seconds, usage.ru_maxrss / 1024, digest.hexdigest()[:16]


def main() -> None:
    program = pathlib.Path(sys.argv[1]).resolve()
    sizes = [int(size) for size in sys.argv[2:]] or [1_000_000, 10_000_000]
    rows = []
    for events in sizes:
        folder = large_shop(SCRATCH / f"cluster-{events}", events)
        here = features(program, folder, "")
        rows.append((events, "here alone", here, 1.0, True))
        for executors in (1, 2, 4):
            with Cluster(program, folder, executors) as cluster:
                lines = f"  cluster: {cluster.url}\n  cluster_least_rows: 0\n"
                features(program, folder, lines)
                there = features(program, folder, lines)
            rows.append((events, f"{executors} executor{'s' * (executors > 1)}", there, there[0] / here[0], there[2] == here[2]))
            print(rows[-1], file=sys.stderr)
        shutil.rmtree(folder)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    lines = [
        "# On several machines",
        "",
        "One view of four windows over generated events, a moment for every tenth of them, from Parquet to sorted Parquet; scheduler and",
        f"executors, of one task and {MEMORY} MiB each, are processes of the machine that asks, so this shows what a cluster costs and not what it gains.",
        f"Made by `make bench-cluster` on: {platform.machine()}, {os.cpu_count()} processors, {memory} GiB of memory; load at the end {os.getloadavg()[0]:.1f}.",
        "",
        "| events | where | time | memory of the program that asks | ratio | same bytes |",
        "|---:|---|---:|---:|---:|---|",
    ]
    for events, where, (seconds, peak, _), ratio, same in rows:
        lines.append(f"| {events:,} | {where} | {seconds:.1f} s | {peak:,.0f} MiB | {ratio:.2f} | {'yes' if same else 'NO'} |")
    (ROOT / "reports" / "cluster.md").write_text("\n".join(lines) + "\n")
    if not all(same for *_, same in rows):
        sys.exit("error: the bytes are not the same")


if __name__ == "__main__":
    main()
