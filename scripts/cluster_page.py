"""reports/cluster.md: what was measured, and what a large shop would need by it."""

import dataclasses
import os
import platform

# The shop on paper.
EVENTS_A_DAY = 10_000_000
DAYS = 730
CUSTOMERS = 2_000_000
ARTICLES = 500_000
# Executors' processors, and a network of ten gigabits a second, in bytes.
CORES = 64
NETWORK = 1.25e9
GIB = 1 << 30
MIB = 1 << 20


@dataclasses.dataclass
class Figures:
    """One run: what the program that asks took, and what executors did for it."""

    seconds: float
    peak: float
    processors: float
    digest: str
    words: str
    same: bool = True
    ratio: float = 1.0
    # Seconds of processors in executors, the most memory that one of them held (MiB), and bytes between them and at the end.
    executors: float = 0.0
    executors_peak: float = 0.0
    shuffled: int = 0
    answer: int = 0

    def share(self) -> float:
        return self.executors / (self.executors + self.processors)


def table(rows, memory: int) -> list[str]:
    lines = [
        "| events | where | time | ratio | memory of who asks | of an executor | work in executors | moved between them | same bytes |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for events, _, where, each in rows:
        there = where != "here alone"
        cells = [
            f"{events:,}",
            where,
            f"{each.seconds:.2f} s",
            f"{each.ratio:.2f}" if there else "",
            f"{each.peak:,.0f} MiB",
            f"{each.executors_peak:,.0f} MiB" if there else "",
            f"{each.share():.0%}" if there else "",
            f"{each.shuffled / MIB:,.0f} MiB" if there else "",
            "yes" if each.same else "**NO**",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def paper(rows) -> list[str]:
    """From the largest run on two executors that was measured."""
    events, size, _, there = max((row for row in rows if row[2] == "2 executors"), key=lambda row: row[0])
    shop = EVENTS_A_DAY * DAYS
    times, moments = shop / events, events // 10
    processors = there.executors / events
    answer = there.answer / moments
    # What one task of one processor holds, of those that were measured; one of a gibibyte is wished for.
    held = there.executors_peak * MIB / (events / 2)
    tasks = -(-shop * held // GIB)
    shuffled = there.shuffled * times
    work = shop * processors / CORES
    return [
        "## On paper: ten million events a day",
        "",
        f"A shop of {EVENTS_A_DAY:,} events a day has {shop / 1e9:.1f} billion in two years, {times:,.0f} times the {events:,} that were measured on two",
        f"executors, with {CUSTOMERS:,} customers and {ARTICLES:,} articles.  One view over all of them, by the rates above:",
        "",
        "| what | by the rate | for the shop |",
        "|---|---|---|",
        f"| events as Parquet | {size / events:.1f} bytes an event | {shop * size / events / GIB:,.0f} GiB |",
        f"| moved between executors | {there.shuffled / events:.1f} bytes an event | {shuffled / GIB:,.0f} GiB, {time(shuffled / NETWORK / (CORES / 8))} where {CORES // 8} machines have 10 Gbit/s each |",
        f"| processors of executors | {events / there.executors / 1e6:.1f} million events a second and processor | {shop * processors / 3600:,.1f} hours of one, {time(work)} on {CORES} |",
        f"| tasks | {held:.0f} bytes of memory an event, the program itself with them | `engine.partitions: {tasks:,.0f}` for tasks of 1 GiB, {shop / tasks / 1e6:.1f} million events each |",
        f"| answer to who asks, a moment for every tenth event | {answer:.0f} bytes a moment | {shop / 10 * answer / GIB:,.0f} GiB, which no machine should hold: this is what ends first |",
        f"| answer to who asks, a moment for every customer | the same | {CUSTOMERS * answer / MIB:,.0f} MiB |",
        f"| articles beside the events, at 200 bytes each | dealt out by key | {ARTICLES * 200 / MIB:,.0f} MiB over all tasks |",
        "",
        "So such a shop asks for moments that it learns from or recommends at, and not for all that ever were: `train.most_rows` and",
        "`rank.most_rows` say how many are learned from, and lists need one for each customer.  Models, rankings and lists are made where",
        "the command runs, and are not part of this.",
        "",
        f"**The weakest assumption**: that a processor does as much with {shop / 1e9:.1f} billion events as with {events / 1e6:.0f} million.  Here rows came from",
        "the page cache of one machine and went over loopback; there they come from disks or an object store and go over a network,",
        "and a customer of a hundred thousand events is one task's whatever `partitions` says.  Try a tenth of the shop first.",
    ]


def page(rows, kills, memory: int, runs: int, load: tuple[float, float]) -> str:
    compared = [row for row in rows if row[2] == "2 executors"]
    events, _, _, there = next((row for row in compared if row[0] == 10_000_000), compared[-1])
    survived, longest, usual = kills
    machine = f"{platform.machine()}, {os.cpu_count()} processors, {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / GIB:.0f} GiB of memory"
    largest = max(row[0] for row in rows)
    beside = ": other programs were at work beside, and both sides took longer" if load[0] > (os.cpu_count() or 1) else ""
    not_run = [] if largest >= 100_000_000 else [
        "",
        '100 million events were not run for this page: `make bench-cluster EVENTS="1000000 10000000 100000000"` runs them too.',
    ]
    lines = [
        "# On several machines",
        "",
        f"Two executors take **{there.ratio:.2f} times** as long as one process for {events:,} events, on the same two processors: there is nothing to gain",
        f"on one machine, and this is what a cluster costs.  {there.share():.0%} of the work is done in the executors.",
        "",
        "One view of four windows over generated events, a moment for every tenth of them, from Parquet to sorted Parquet; scheduler and",
        f"executors, of one task and {memory} MiB each, are processes of the machine that asks.  Medians of {runs} runs that take turns with runs without a cluster.",
        f"Made by `make bench-cluster` on: {machine}; load {load[0]:.1f} at the start, {load[1]:.1f} at the end{beside}.",
        "",
        *table(rows, memory),
        *not_run,
        "",
        "![How cost grows with events](cluster.png)",
        "",
        "## An executor is killed",
        "",
        f"At ten moments of a run one of two executors was killed as the kernel kills who takes too much memory, and another was started: **{survived} of 10**",
        f"runs ended with the same bytes.  The longest took {longest:.1f} s instead of {usual:.1f}: a query that lost a part is asked again whole, never patched,",
        "once the scheduler has heard nothing of the executor for 8 seconds (`--lost-after`, 30 where nothing is said).",
        "",
        *paper(rows),
    ]
    return "\n".join(lines) + "\n"
