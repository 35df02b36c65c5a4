"""The client's export on a scheduler and executors of this machine: every table must be what dvc.lock says.

    python scripts/cluster_test.py PROGRAM BESIDE PYTHON

PROGRAM is selvedge-cluster, BESIDE the folder of selvedge-encoder and selvedge-towers, PYTHON one with what cluster/requirements.txt names.  It all happens in copies
of the project beside the tree: with one, two and four executors that see the project's folder, and with two that see an
object store alone.  Exit code 0: every hash is as in dvc.lock; 1: what differs, or what did not start.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import yaml

from object_store import LOCATION, Store, free_port
from reproduce import hash_of

ROOT = pathlib.Path(__file__).resolve().parent.parent


def copy(folder: pathlib.Path, lines: str) -> None:
    """The project with more lines below `engine:`."""
    folder.mkdir()
    for part in ("sql", "materials"):
        shutil.copytree(ROOT / part, folder / part)
    (folder / ".minilm").symlink_to((ROOT / ".minilm").resolve())
    (folder / "reports").mkdir()
    text = (ROOT / "params.yaml").read_text()
    head = "\nengine:\n"
    if head not in text:
        raise SystemExit("error: params.yaml has no line `engine:`")
    (folder / "params.yaml").write_text(text.replace(head, f"{head}{lines}"))


class Cluster:
    """A scheduler and executors of one task each, all of which write what they do into `logs`."""

    def __init__(self, program: pathlib.Path, logs: pathlib.Path, executors: int, may_read: list, keys: list):
        self.program, self.running, port = program, [], free_port()
        self.url = f"http://127.0.0.1:{port}"
        logs.mkdir()
        self.start(logs / "scheduler", "scheduler", "--port", port, *may_read)
        for number in range(executors):
            self.start(logs / f"executor-{number}", "executor", "--scheduler", self.url, "--port", free_port(), "--tasks", 1, *keys)
        end = time.monotonic() + 60
        while (state := self.status()).stdout.count("\nexecutor ") < executors:
            if time.monotonic() > end:
                self.__exit__()
                raise SystemExit(f"error: the cluster did not start within a minute\n  do: look at what it wrote: {state.stdout}{state.stderr}")
            time.sleep(0.2)

    def start(self, log: pathlib.Path, *arguments) -> None:
        with open(log, "w") as said:
            self.running.append(subprocess.Popen([self.program, "--verbose", *map(str, arguments)], stderr=said))

    def status(self) -> subprocess.CompletedProcess:
        return subprocess.run([self.program, "status", "--scheduler", self.url], capture_output=True, text=True)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_) -> None:
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            process.wait()


class Tests:
    def __init__(self, program: pathlib.Path, beside: pathlib.Path, scratch: pathlib.Path):
        lock = yaml.safe_load((ROOT / "dvc.lock").read_text())
        self.outs = [item for stage in lock["stages"].values() for item in stage.get("outs", [])]
        self.scratch, self.failed = scratch, 0
        # Programs of selvedge look for those that link libtorch beside themselves.
        programs = scratch / "programs"
        programs.mkdir()
        shutil.copy2(program, programs)
        for name in ("selvedge-encoder", "selvedge-towers"):
            (programs / name).symlink_to((beside / name).resolve())
        self.program = programs / program.name

    def say(self, what: str, holds: bool) -> None:
        print(("ok   " if holds else "FAILED ") + what, flush=True)
        self.failed += not holds

    def run(self, project: pathlib.Path, log: pathlib.Path, keys: list, *stages: str) -> int:
        with open(log, "w") as said:
            command = [self.program, "--verbose", "run", *keys, "--", "--root", project, "run", *stages]
            return subprocess.run(command, stderr=said, stdout=said).returncode

    def compare(self, name: str, project: pathlib.Path, seconds: float) -> None:
        made = [(item["path"], item["md5"], hash_of(project / item["path"])[0]) for item in self.outs]
        differ = [entry for entry in made if entry[1] != entry[2]]
        for path, wanted, found in differ:
            print(f"{path}: dvc.lock says {wanted}, the cluster made {found}")
        self.say(f"{name}: {len(made) - len(differ)} of {len(made)} outputs are as in dvc.lock, {seconds:.0f} s", not differ)

    def export(self, name: str, executors: int, store: Store | None = None) -> None:
        """The whole export; through a store, nobody but who asks may read the project's folder."""
        project, logs = self.scratch / name, self.scratch / f"{name}-logs"
        keys = ["--keys", store.keys()] if store else []
        with Cluster(self.program, logs, executors, ["--storage", LOCATION] if store else ["--folder", project], keys) as cluster:
            storage = f"  cluster_storage: {LOCATION}\n" if store else ""
            copy(project, f"  cluster: {cluster.url}\n  cluster_least_rows: 0\n{storage}")
            began = time.monotonic()
            code = self.run(project, logs / "client", keys)
            seconds = time.monotonic() - began
        said = (logs / "client").read_text()
        if code:
            print(said[-3000:])
        sent = [line for line in said.splitlines() if "queries were answered there" in line]
        self.say(f"{name}: {sent[-1].split(';')[0].strip() if sent else 'nothing was sent'}", code == 0 and bool(sent))
        self.compare(name, project, seconds)
        if store:
            written = [line for line in said.splitlines() if "MiB were written" in line]
            self.say(f"{name}: {written[-1].strip() if written else 'nothing was written there'}", bool(written) and store.objects() == 0)
            self.secret(name, store, project, logs)

    def secret(self, name: str, store: Store, *folders: pathlib.Path) -> None:
        """Keys stand nowhere."""
        files = [file for folder in folders for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
        kinds = [file.read_bytes() for file in files if "sql" not in file.parts and "materials" not in file.parts]
        found = [secret for secret in store.secrets() if any(secret.encode() in text for text in kinds)]
        self.say(f"{name}: no key stands in any of {len(kinds)} files, logs and params.yaml among them", not found)

    def refused(self, store: Store, name: str, keys: str, executors_keys: str, location: str, wanted: str) -> None:
        """What a run says that has not got what it needs."""
        project, logs = self.scratch / name, self.scratch / f"{name}-logs"
        with Cluster(self.program, logs, 1, ["--storage", LOCATION], ["--keys", store.keys(executors_keys)]) as cluster:
            copy(project, f"  cluster: {cluster.url}\n  cluster_least_rows: 0\n  cluster_storage: {location}\n")
            code = self.run(project, logs / "client", ["--keys", store.keys(keys)], "ingest")
        said = (logs / "client").read_text()
        told = [line.strip() for line in said.splitlines() if line.startswith(("error:", "  do:"))]
        self.say(f"{name}: {' '.join(told)}", code == 1 and any(wanted in line for line in told))
        self.secret(name, store, logs)


def main() -> int:
    parser = argparse.ArgumentParser(description="The client's export on executors of this machine.")
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("beside", type=pathlib.Path)
    parser.add_argument("python", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cluster-test-") as name:
        scratch = pathlib.Path(name).resolve()
        tests = Tests(options.program.resolve(), options.beside, scratch)
        for executors in (1, 2, 4):
            tests.export(f"{executors}-executors", executors)
        keys = scratch / "keys"
        keys.mkdir(mode=0o700)
        with Store(options.python.absolute(), keys) as store:
            tests.export("object-store", 2, store)
            tests.refused(store, "wrong-keys", "wrong", "keys", LOCATION, "refuses these keys")
            tests.refused(store, "no-bucket", "keys", "keys", "s3://another-shop/cluster", "there is no bucket s3://another-shop")
            tests.refused(store, "executors-wrong-keys", "keys", "wrong", LOCATION, "the object store refuses an executor's keys")
            tests.refused(store, "not-allowed", "keys", "keys", "s3://shop/other", "the scheduler lets nobody read engine.cluster_storage")
            tests.say("what was refused left nothing in the store", store.objects() == 0)
        return 1 if tests.failed else 0


if __name__ == "__main__":
    sys.exit(main())
