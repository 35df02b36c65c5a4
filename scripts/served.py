"""A server over a copy of this project's work/, for tests from outside: nothing that they send stays."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent


def copy(folder, changes=()):
    """Lays what a server reads into `folder`, with `changes` (key, value) of the section serve of params.yaml."""
    if not (ROOT / "work" / "recommendations.parquet").exists():
        sys.exit("error: there is no work/recommendations.parquet\n  do: run `make repro` first")
    shutil.copytree(ROOT / "sql", folder / "sql")
    text = (ROOT / "params.yaml").read_text()
    text = text.replace("model: .minilm", f"model: {ROOT / '.minilm'}")
    for key, value in changes:
        text, found = re.subn(rf"(?m)^(  {key}): \S+", rf"\1: {value}", text)
        if not found:
            sys.exit(f"error: params.yaml has no key {key}\n  do: correct {sys.argv[0]}")
    (folder / "params.yaml").write_text(text)
    # Files that stay as they are need no second place on the disk.
    parts = ["ingest", "split", "embeddings", "rank", "evaluation", "recommendations.parquet"]
    for part in parts:
        source, target = ROOT / "work" / part, folder / "work" / part
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy(source, target)


class Server:
    """A running server; `said` is what it wrote."""

    def __init__(self, program, folder, *arguments):
        command = [program, "serve", "--address", "127.0.0.1:0", "--root", folder, *arguments]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.said = []
        self.address = None
        for line in self.process.stderr:
            self.said.append(line)
            if found := re.search(r"listening on (\S+)", line):
                self.address = found[1]
                break
        if self.address is None:
            sys.exit("error: the server ended\n" + "".join(self.said))
        # What it says later must go somewhere.
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)


@contextlib.contextmanager
def server(program, *arguments, changes=()):
    """A server over a copy of the project, in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="selvedge-served-") as folder:
        folder = pathlib.Path(folder)
        copy(folder, changes)
        running = Server(os.fspath(program), os.fspath(folder), *arguments)
        try:
            yield running, folder
        finally:
            running.stop()
