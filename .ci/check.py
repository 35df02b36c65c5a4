"""Hold the committed dvc.lock and reports/ to what the code has just made.

    .venv/bin/python .ci/check.py          after `make repro`, in a checkout of the commit

What does not depend on the sentence encoder must be the same byte for byte.  What does depend on it may differ, because
the last bits of a vector depend on the processor's kind (libtorch picks its kernels by it):

- numbers in reports/evaluation.json: at most 0.01 apart;
- reports/model.md and drivers.md: the same lines with every number left out, and numbers at most 2 % of their size or 0.02 apart
  (the folded part for the ML team is left out: near ties may change places there);
- reports/recommendations.md: the same headings (two articles that are nearly equal may change places);
- charts of the model, the drivers and the lists: the same width and height;
- dvc.lock: the same stages, commands, parameters and outputs; sizes of outputs at most 2 % apart.
"""

import json
import pathlib
import re
import struct
import subprocess
import sys

from ruamel.yaml import YAML

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Stages whose outputs no vector reaches.
INDEPENDENT = {"ingest", "drill"}
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
problems: list[str] = []


def committed(path: str) -> bytes:
    return subprocess.run(["git", "show", f"HEAD:{path}"], cwd=ROOT, check=True, capture_output=True).stdout


def near(a: float, b: float, share: float, least: float) -> bool:
    return abs(a - b) <= max(share * max(abs(a), abs(b)), least)


def check_lock() -> None:
    yaml = YAML(typ="safe")
    before, after = yaml.load(committed("dvc.lock"))["stages"], yaml.load((ROOT / "dvc.lock").read_text())["stages"]
    if before.keys() != after.keys():
        problems.append(f"dvc.lock: the stages are {sorted(after)}, committed are {sorted(before)}")
        return
    for stage in before:
        for part in ("cmd", "params"):
            if before[stage].get(part) != after[stage].get(part):
                problems.append(f"dvc.lock: {stage}.{part} differs")
        old = {out["path"]: out for out in before[stage].get("outs", [])}
        new = {out["path"]: out for out in after[stage].get("outs", [])}
        if old.keys() != new.keys():
            problems.append(f"dvc.lock: the outputs of {stage} differ")
            continue
        for path, out in old.items():
            if stage in INDEPENDENT and out["md5"] != new[path]["md5"]:
                problems.append(f"dvc.lock: {path} is not what {stage} makes")
            elif not near(out["size"], new[path]["size"], 0.02, 4096):
                problems.append(f"dvc.lock: {path} has {new[path]['size']} bytes, committed are {out['size']}")


def numbers(value: object, path: str = "") -> dict[str, float]:
    if isinstance(value, dict):
        return {k: v for key, inner in value.items() for k, v in numbers(inner, f"{path}.{key}").items()}
    return {path: value} if isinstance(value, (int, float)) else {}


def check_evaluation() -> None:
    path = "reports/evaluation.json"
    old, new = numbers(json.loads(committed(path))), numbers(json.loads((ROOT / path).read_text()))
    for key in sorted(old.keys() | new.keys()):
        if key not in old or key not in new or not near(old[key], new[key], 0, 0.01):
            problems.append(f"{path}: {key.lstrip('.')} is {new.get(key)}, committed is {old.get(key)}")


def check_words(path: str) -> None:
    def read(content: bytes) -> tuple[list[str], list[float]]:
        text = re.sub(r"<details>.*?</details>", "", content.decode(), flags=re.DOTALL)
        return NUMBER.sub("#", text).splitlines(), [float(n.replace(",", "")) for n in NUMBER.findall(text)]

    (old_words, old), (new_words, new) = read(committed(path)), read((ROOT / path).read_bytes())
    if old_words != new_words:
        problems.append(f"{path}: the words differ")
    elif not all(near(a, b, 0.02, 0.02) or near(a, b, 0, 1.0) and a == int(a) for a, b in zip(old, new)):
        problems.append(f"{path}: a number is more than 2 % off")


def check_headings(path: str) -> None:
    def read(content: bytes) -> list[str]:
        return [line for line in content.decode().splitlines() if line.startswith("#")]

    if read(committed(path)) != read((ROOT / path).read_bytes()):
        problems.append(f"{path}: the headings differ")


def check_picture(path: str) -> None:
    def size(content: bytes) -> tuple[int, int]:
        return struct.unpack(">II", content[16:24])

    if size(committed(path)) != size((ROOT / path).read_bytes()):
        problems.append(f"{path}: another size")


def main() -> None:
    listed = subprocess.run(["git", "ls-files", "reports"], cwd=ROOT, check=True, capture_output=True, text=True)
    tracked = set(listed.stdout.split())
    made = {str(path.relative_to(ROOT)) for path in (ROOT / "reports").rglob("*") if path.is_file()}
    problems.extend(f"{path}: made, but not committed" for path in sorted(made - tracked))
    problems.extend(f"{path}: committed, but not made" for path in sorted(tracked - made))
    check_lock()
    for path in sorted(tracked & made):
        name = pathlib.PurePath(path).name
        if name == "evaluation.json":
            check_evaluation()
        elif name == "recommendations.md":
            check_headings(path)
        elif name in {"model.md", "drivers.md"}:
            check_words(path)
        elif name.startswith(("model-", "drivers", "recommendations")):
            check_picture(path)
        elif committed(path) != (ROOT / path).read_bytes():
            problems.append(f"{path}: not what the code makes")
    for problem in problems:
        print(f"check: {problem}", file=sys.stderr)
    if problems:
        sys.exit("check: commit what `make repro` makes, or find out why it changed")
    print(f"check: dvc.lock and {len(made)} files in reports/ are what the code makes")


if __name__ == "__main__":
    main()
