"""The client's export on a scheduler and two executors of this machine: every table must be what dvc.lock says.

    python scripts/cluster_test.py PROGRAM ENCODER

PROGRAM is selvedge-cluster, ENCODER selvedge-encoder.  It all happens in a copy of the project beside the tree.  Exit code 0: every
hash is as in dvc.lock; 1: what differs, or what did not start.
"""

import argparse
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import yaml

from reproduce import hash_of

ROOT = pathlib.Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def copy(folder: pathlib.Path, scheduler: str) -> None:
    """The project, with a cluster that is asked for everything."""
    for part in ("sql", "materials"):
        shutil.copytree(ROOT / part, folder / part)
    (folder / ".minilm").symlink_to((ROOT / ".minilm").resolve())
    (folder / "reports").mkdir()
    text = (ROOT / "params.yaml").read_text()
    head = "\nengine:\n"
    if head not in text:
        raise SystemExit("error: params.yaml has no line `engine:`")
    (folder / "params.yaml").write_text(text.replace(head, f"{head}  cluster: {scheduler}\n  cluster_least_rows: 0\n"))


def wait_for_executors(program: pathlib.Path, scheduler: str, count: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        state = subprocess.run([program, "status", "--scheduler", scheduler], capture_output=True, text=True)
        if state.stdout.count("\nexecutor ") == count:
            return
        time.sleep(0.2)
    raise SystemExit(f"error: the cluster did not start within a minute\n  do: look at what it wrote: {state.stdout}{state.stderr}")


def main() -> int:
    parser = argparse.ArgumentParser(description="The client's export on two executors.")
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("encoder", type=pathlib.Path)
    options = parser.parse_args()
    program = options.program.resolve()
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())
    with tempfile.TemporaryDirectory(prefix="cluster-test-") as name:
        folder = pathlib.Path(name).resolve()
        # Programs of selvedge look for the encoder beside themselves.
        programs = folder / "programs"
        programs.mkdir()
        shutil.copy2(program, programs)
        (programs / "selvedge-encoder").symlink_to(options.encoder.resolve())
        project = folder / "project"
        project.mkdir()
        port = free_port()
        scheduler = f"http://127.0.0.1:{port}"
        copy(project, scheduler)
        running = [subprocess.Popen([program, "scheduler", "--port", str(port), "--folder", project])]
        try:
            for _ in range(2):
                running.append(subprocess.Popen([program, "executor", "--scheduler", scheduler, "--port", str(free_port()), "--tasks", "1"]))
            wait_for_executors(program, scheduler, 2)
            began = time.monotonic()
            done = subprocess.run([programs / program.name, "run", "--", "--root", project, "run"])
            if done.returncode:
                return 1
            seconds = time.monotonic() - began
        finally:
            for process in reversed(running):
                process.terminate()
            for process in running:
                process.wait()
        outs = [item for stage in lock["stages"].values() for item in stage.get("outs", [])]
        differ = [(item["path"], item["md5"], hash_of(project / item["path"])[0]) for item in outs]
        differ = [entry for entry in differ if entry[1] != entry[2]]
        for path, wanted, made in differ:
            print(f"{path}: dvc.lock says {wanted}, the cluster made {made}")
        print(f"{len(outs) - len(differ)} of {len(outs)} outputs are as in dvc.lock, {seconds:.0f} s on two executors")
        return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
