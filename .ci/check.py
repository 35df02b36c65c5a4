"""Hold the committed dvc.lock and reports/ to what the code has just made, byte for byte.

    .venv/bin/python .ci/check.py          after `make repro`, in a checkout of the commit

The same inputs give the same bytes on every x86-64 processor with AVX2 and FMA, so nothing may differ: every file under reports/,
and of dvc.lock every stage with its command, its parameters, and the hashes of what it reads and makes.
"""

import pathlib
import subprocess
import sys

from ruamel.yaml import YAML

ROOT = pathlib.Path(__file__).resolve().parent.parent


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


def lock_problems() -> list[str]:
    yaml = YAML(typ="safe")
    committed, made = yaml.load(git("show", "HEAD:dvc.lock"))["stages"], yaml.load((ROOT / "dvc.lock").read_text())["stages"]
    if committed.keys() != made.keys():
        return [f"dvc.lock: the stages are {sorted(made)}, committed are {sorted(committed)}"]
    problems = []
    for stage, old in committed.items():
        new = made[stage]
        problems += [f"dvc.lock: {stage}.{part} differs" for part in ("cmd", "params") if old.get(part) != new.get(part)]
        for part, verb in (("deps", "reads"), ("outs", "makes")):
            old_files, new_files = ({file["path"]: file["md5"] for file in lock.get(part, [])} for lock in (old, new))
            for path in sorted(old_files.keys() | new_files.keys()):
                if old_files.get(path) != new_files.get(path):
                    problems.append(f"dvc.lock: {path}, which {stage} {verb}, is not what was committed")
    return problems


def report_problems(committed: set[str], made: set[str]) -> list[str]:
    return (
        [f"{path}: made, but not committed" for path in sorted(made - committed)]
        + [f"{path}: committed, but not made" for path in sorted(committed - made)]
        + [
            f"{path}: not what the code makes"
            for path in sorted(committed & made)
            if git("show", f"HEAD:{path}") != (ROOT / path).read_bytes()
        ]
    )


def main() -> None:
    committed = set(git("ls-files", "reports").decode().split())
    made = {str(path.relative_to(ROOT)) for path in (ROOT / "reports").rglob("*") if path.is_file()}
    problems = lock_problems() + report_problems(committed, made)
    for problem in problems:
        print(f"check: {problem}", file=sys.stderr)
    if problems:
        sys.exit("check: commit what `make repro` makes, or find out why it changed")
    print(f"check: dvc.lock and {len(made)} files in reports/ are what the code makes, byte for byte")


if __name__ == "__main__":
    main()
