"""Hold a commit to its own dvc.lock: check it out beside the tree, run its pipeline, compare every hash.

    python scripts/reproduce.py REV [--root DIR] [--run COMMAND]

COMMAND (default: make repro) runs in the checkout; builds share this tree's target folder, and tools and models that
git does not keep are linked.  Exit code 0: every hash is as the commit says; 1: the stages and files that differ.
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml

# What setting up fetches, and the file that says what that is: shared with commits that say the same.
SHARED = {".venv": "requirements.txt", ".libtorch": "scripts/fetch.py", ".minilm": "scripts/fetch.py"}


def git(root: pathlib.Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"error: git {' '.join(arguments)}: {done.stderr.strip()}\n  do: name a commit of this repository")
    return done.stdout.strip()


def md5(path: pathlib.Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def hash_of(path: pathlib.Path) -> tuple[str | None, dict[str, str]]:
    """The hash as dvc.lock has it, and for a folder each file's own; None where nothing is there."""
    if path.is_dir():
        names = sorted(str(file.relative_to(path).as_posix()) for file in path.rglob("*") if file.is_file())
        files = {name: md5(path / name) for name in names}
        listing = json.dumps([{"md5": files[name], "relpath": name} for name in names], sort_keys=True)
        return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir", files
    return (md5(path), {}) if path.is_file() else (None, {})


def differences(tree: pathlib.Path, lock: dict, home: pathlib.Path) -> list[str]:
    """One line for every dependency and output of a stage that is not what the lock says."""
    found = []
    for stage, entry in lock.get("stages", {}).items():
        for kind in ("deps", "outs"):
            for item in entry.get(kind, []):
                path, wanted = item["path"], item.get("md5")
                made, files = hash_of(tree / path)
                if wanted is None or made == wanted:
                    continue
                if made is None:
                    found.append(f"stage {stage}: {path} was not made (dvc.lock: {wanted})")
                    continue
                words = "reads" if kind == "deps" else "made"
                found.append(f"stage {stage} {words} {path}: dvc.lock says {wanted}, it is {made}{inside(home, path, wanted, files)}")
    return found


def inside(home: pathlib.Path, path: str, wanted: str, files: dict[str, str]) -> str:
    """Which files of a folder differ, where DVC's cache still knows what they were."""
    listing = home / ".dvc/cache/files/md5" / wanted[:2] / wanted[2:]
    if not wanted.endswith(".dir") or not listing.is_file():
        return ""
    then = {entry["relpath"]: entry["md5"] for entry in json.loads(listing.read_text())}
    odd = sorted(name for name in then.keys() | files.keys() if then.get(name) != files.get(name))
    return f" (other files: {', '.join(f'{path}/{name}' for name in odd)})"


def share(root: pathlib.Path, tree: pathlib.Path) -> None:
    """Links what setting up would fetch again."""
    for name, told_by in SHARED.items():
        ours, theirs = root / told_by, tree / told_by
        if not (root / name).exists() or not theirs.is_file() or ours.read_bytes() != theirs.read_bytes():
            continue
        (tree / name).symlink_to((root / name).resolve())
        # A fresh checkout is younger than what was fetched; make must not fetch it again for that.
        os.utime(theirs, (0, 0))


def main() -> int:
    parser = argparse.ArgumentParser(description="Hold a commit to its own dvc.lock.")
    parser.add_argument("rev", help="a commit, a tag or a branch")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path.cwd(), help="the repository [default: here]")
    parser.add_argument("--run", default="make repro", help="what rebuilds a checkout [default: make repro]")
    options = parser.parse_args()
    root = pathlib.Path(git(options.root, "rev-parse", "--show-toplevel"))
    commit = git(root, "rev-parse", "--verify", "--end-of-options", f"{options.rev}^{{commit}}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="reproduce-"))
    tree = folder / "tree"
    try:
        git(root, "worktree", "add", "--detach", str(tree), commit)
        if not (tree / "dvc.lock").is_file():
            print(f"error: {options.rev} has no dvc.lock\n  do: name a commit whose pipeline was run")
            return 1
        lock = yaml.safe_load((tree / "dvc.lock").read_text()) or {}
        share(root, tree)
        # DVC would take unchanged stages from its cache or skip them: without a lock and a cache it must run all.
        (tree / "dvc.lock").unlink()
        libtorch = os.environ.get("LIBTORCH", str(root / ".libtorch"))
        target = os.environ.get("CARGO_TARGET_DIR", str(root / "target"))
        environment = os.environ | {"CARGO_TARGET_DIR": target, "LIBTORCH": libtorch}
        done = subprocess.run(options.run, shell=True, cwd=tree, env=environment)
        if done.returncode:
            print(f"error: `{options.run}` failed on {commit[:12]} with exit code {done.returncode}")
            return 1
        found = differences(tree, lock, root)
        hashes = sum(len(entry.get(kind, [])) for entry in lock.get("stages", {}).values() for kind in ("deps", "outs"))
        for line in found:
            print(line)
        if found:
            print(f"{len(found)} of {hashes} hashes in the dvc.lock of {commit[:12]} do not come out again")
            return 1
        print(f"{commit[:12]}: all {hashes} hashes in its dvc.lock came out again")
        return 0
    finally:
        subprocess.run(["git", "-C", str(root), "worktree", "remove", "--force", str(tree)], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["git", "-C", str(root), "worktree", "prune"], capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
