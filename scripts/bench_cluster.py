"""`make bench-cluster`: one feature view over generated shops, on this machine alone and on executors of it -> reports/cluster.md.

    python scripts/bench_cluster.py PROGRAM [EVENTS ...]

PROGRAM is selvedge-cluster, for both: what differs is where queries run.  On one machine nothing is gained by executors: what is
shown is what they cost, that the bytes are the same, how the cost grows where each executor has little memory, and that
nothing is lost with one of them.  From these rates cluster_page.py works out what a large shop would need.  Figures for the
picture go to work/benchmarks/cluster.csv.
"""

import hashlib
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from cluster_page import Figures, page
from object_store import LOCATION, Store, free_port

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "crates" / "benchmarks"))

from shop import large_shop  # noqa: E402

SCRATCH = ROOT / "work" / "benchmarks"
MEMORY = 2048
RUNS = int(os.environ.get("RUNS", "3"))
KILLS = 10
# Everything is tried at this size; larger ones only on this machine alone and on two executors.
COMPARED = 10_000_000
TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(pid: int) -> float:
    """What a process and its threads took of the processors."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak(pid: int) -> float:
    """The most memory that a process held, in MiB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


class Cluster:
    """A scheduler and executors of MEMORY MiB and one task each."""

    def __init__(self, program: pathlib.Path, folder: pathlib.Path, executors: int, store: Store | None = None):
        self.program, self.store, self.port = program, store, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.rows = pathlib.Path(tempfile.mkdtemp(prefix="rows-", dir=SCRATCH))
        may_read = ["--storage", LOCATION] if store else ["--folder", folder]
        # Short, so that a run that lost an executor soon goes on with others.
        self.scheduler = self.start("scheduler", "--port", str(self.port), "--lost-after", "8", *may_read)
        self.executors = []
        for _ in range(executors):
            self.add()
        self.wait(executors)

    def start(self, *arguments) -> subprocess.Popen:
        return subprocess.Popen([self.program, *arguments], stderr=subprocess.DEVNULL)

    def add(self) -> None:
        keys = ["--keys", self.store.keys()] if self.store else []
        arguments = ["--scheduler", self.url, "--port", str(free_port()), "--tasks", "1", "--memory", str(MEMORY), "--scratch", self.rows]
        self.executors.append(self.start("executor", *arguments, *keys))

    def wait(self, count: int) -> None:
        end = time.monotonic() + 60
        while subprocess.run([self.program, "status", "--scheduler", self.url], capture_output=True, text=True).stdout.count("\nexecutor ") < count:
            if time.monotonic() > end:
                sys.exit("error: the cluster did not start")
            time.sleep(0.2)

    def lines(self) -> str:
        storage = f"  cluster_storage: {LOCATION}\n" if self.store else ""
        return f"  cluster: {self.url}\n  cluster_least_rows: 0\n{storage}"

    def keys(self) -> list:
        return ["--keys", self.store.keys()] if self.store else []

    def processors(self) -> float:
        return sum(seconds_of(process.pid) for process in self.executors)

    def moved(self) -> tuple[int, int]:
        """Bytes that tasks left to be fetched by other tasks, and those of the last stages by who asks."""
        stages: dict = {}
        for file in self.rows.glob("*/*/*/**/*"):
            if file.is_file():
                _, job, stage, *_ = file.relative_to(self.rows).parts
                stages.setdefault(job, {}).setdefault(int(stage) if stage.isdigit() else 0, []).append(file.stat().st_size)
        answers = sum(sum(sizes) for job in stages.values() for stage, sizes in job.items() if stage == max(job))
        return sum(sum(sizes) for job in stages.values() for sizes in job.values()) - answers, answers

    def forget(self) -> None:
        for folder in self.rows.glob("*/*"):
            shutil.rmtree(folder, ignore_errors=True)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_) -> None:
        for process in [*self.executors, self.scheduler]:
            process.terminate()
        for process in [*self.executors, self.scheduler]:
            process.wait()
        shutil.rmtree(self.rows, ignore_errors=True)


class Features:
    """A run of `features` that has begun, with more lines below `engine:`."""

    def __init__(self, program: pathlib.Path, folder: pathlib.Path, lines: str = "", keys: list = []):
        self.folder, self.params = folder, folder / "params.yaml"
        self.text = self.params.read_text()
        for made in ("grain", "features"):
            shutil.rmtree(folder / "work" / made, ignore_errors=True)
        self.params.write_text(self.text.replace("\nengine:\n", f"\nengine:\n{lines}"))
        self.began = time.monotonic()
        self.process = subprocess.Popen([program, "run", *keys, "--", "--root", folder, "features"], stderr=subprocess.PIPE, text=True)

    def done(self) -> Figures:
        words = self.process.stderr.read()
        _, status, usage = os.wait4(self.process.pid, 0)
        seconds = time.monotonic() - self.began
        self.params.write_text(self.text)
        if status:
            sys.exit(words)
        digest = hashlib.sha256()
        for file in sorted((self.folder / "work").glob("*/*.parquet")):
            if file.parent.name != "ingest":
                digest.update(file.read_bytes())
        processors = usage.ru_utime + usage.ru_stime
        return Figures(seconds, usage.ru_maxrss / 1024, processors, digest.hexdigest()[:16], words)


def median(figures: list[Figures]) -> Figures:
    middle = sorted(figures, key=lambda each: each.seconds)[len(figures) // 2]
    middle.seconds = statistics.median(each.seconds for each in figures)
    middle.peak = max(each.peak for each in figures)
    middle.same = all(each.digest == middle.digest for each in figures)
    return middle


def on(cluster: Cluster, folder: pathlib.Path) -> Figures:
    """One run on a cluster, with what its executors did."""
    cluster.forget()
    before = cluster.processors()
    figures = Features(cluster.program, folder, cluster.lines(), cluster.keys()).done()
    figures.executors = cluster.processors() - before
    figures.shuffled, figures.answer = cluster.moved()
    figures.executors_peak = max(peak(process.pid) for process in cluster.executors)
    return figures


def compared(program: pathlib.Path, folder: pathlib.Path, executors: int, runs: int, store: Store | None = None) -> tuple[Figures, Figures]:
    """Here alone and on a cluster, which take turns, after a run of each that does not count."""
    with Cluster(program, folder, executors, store) as cluster:
        Features(program, folder).done()
        on(cluster, folder)
        pairs = [(Features(program, folder).done(), on(cluster, folder)) for _ in range(runs)]
    here, there = (median([pair[side] for pair in pairs]) for side in (0, 1))
    there.ratio = there.seconds / here.seconds
    there.same &= there.digest == here.digest
    return here, there


def killed(program: pathlib.Path, folder: pathlib.Path) -> tuple[int, float, float]:
    """At ten moments of a run one of two executors is killed, and another comes: how often the bytes were the same, and how long a run took at most."""
    survived, longest = 0, 0.0
    with Cluster(program, folder, 2) as cluster:
        usual = on(cluster, folder)
        for kill in range(KILLS):
            run = Features(program, folder, cluster.lines())
            time.sleep(usual.seconds * (kill + 0.5) / KILLS)
            lost = cluster.executors.pop(0)
            lost.send_signal(signal.SIGKILL)
            lost.wait()
            cluster.add()
            figures = run.done()
            survived += figures.digest == usual.digest
            longest = max(longest, figures.seconds)
            print(f"kill {kill}: {figures.seconds:.1f} s, {'same' if figures.digest == usual.digest else 'OTHER'} bytes", file=sys.stderr)
            cluster.wait(2)
    return survived, longest, usual.seconds


def main() -> None:
    program = pathlib.Path(sys.argv[1]).resolve()
    sizes = [int(size) for size in sys.argv[2:]] or [1_000_000, 10_000_000]
    began = os.getloadavg()[0]
    SCRATCH.mkdir(parents=True, exist_ok=True)
    rows, kills = [], None
    for events in sizes:
        folder = large_shop(SCRATCH / f"cluster-{events}", events)
        size = (folder / "work" / "ingest" / "events.parquet").stat().st_size
        for executors in (2, 1, 4) if events <= COMPARED else (2,):
            runs = RUNS if events <= COMPARED else 1
            here, there = compared(program, folder, executors, runs)
            if executors == 2:
                rows.append((events, size, "here alone", here))
            rows.append((events, size, f"{executors} executor{'s' * (executors > 1)}", there))
            print(events, executors, here.seconds, there, file=sys.stderr)
        if events == min(COMPARED, max(sizes)):
            keys = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH))
            with Store(pathlib.Path(sys.executable), keys) as store:
                rows.append((events, size, "2 executors, object store", compared(program, folder, 2, RUNS, store)[1]))
            shutil.rmtree(keys)
            kills = killed(program, folder)
        shutil.rmtree(folder)
    with open(SCRATCH / "cluster.csv", "w") as file:
        for events in sizes:
            of = {where: figures.seconds for size, _, where, figures in rows if size == events}
            file.write(f"{events},{of['2 executors']},{of['here alone']}\n")
    (ROOT / "reports" / "cluster.md").write_text(page(rows, kills, MEMORY, RUNS, (began, os.getloadavg()[0])))
    if not all(figures.same for *_, figures in rows) or kills[0] < KILLS:
        sys.exit("error: the bytes are not the same")


if __name__ == "__main__":
    main()
