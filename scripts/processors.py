"""Are the bits the same on other processors?  Runs here and on emulated ones, and compares.

    python scripts/processors.py PROGRAMS MODEL      PROGRAMS: target/release; see `make processors`

Four programs run on each processor:

- crates/transformer's example `steps`: hashes of what each step of the encoder's forward pass gives, by every kind of
  instructions that the processor has;
- crates/numeric's example `functions`: hashes of what exp, ln, powf and the like give;
- `selvedge-encoder`, whole, with libtorch: the short ones of the reference texts, encoded with MODEL;
- `selvedge-towers`, whole, with libtorch: what it learns of two small tasks.

Emulation is by qemu's user mode (Debian: qemu-user); it knows AVX2 and FMA, and no AVX-512.  Nehalem has neither: there, plain
Rust does the steps, each fused step by many instructions, which is too slow for texts.

Exit code 0: the same everywhere; 1: not.
"""

import hashlib
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "crates/sentence-encoder/tests/encoder/data/minilm_reference.json"
WITHOUT_FMA = ["Nehalem"]
EMULATED = ["Haswell-v4", "Skylake-Client-v4", "EPYC-Milan", *WITHOUT_FMA]


# As `recommenders::deep::ENVIRONMENT` has it.
TOWERS = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE", "MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def run(emulator: list[str], program: pathlib.Path, given: bytes = b"", environment: dict[str, str] = {}) -> tuple[bytes, str]:
    """What the program writes, and what it says."""
    done = subprocess.run([*emulator, program], input=given, capture_output=True, env={**os.environ, **environment})
    words = done.stderr.decode(errors="replace")
    if done.returncode:
        sys.exit(f"{' '.join(map(str, [*emulator, program]))} ended with {done.returncode}:\n{words}")
    return done.stdout, words


def vectors(answers: bytes) -> str:
    """The hash of the answers in the order of the texts: 4 bytes of position, then 384 numbers of 4 bytes."""
    size = 4 + 4 * 384
    each = sorted((answers[at : at + size] for at in range(0, len(answers), size)), key=lambda a: int.from_bytes(a[:4], "little"))
    return hashlib.sha256(b"".join(each)).hexdigest()[:32]


def task(name: str, matrices: dict[str, list[list[float]]]) -> bytes:
    """As `recommenders::deep::Message` writes it."""
    shapes = [[name, len(rows), len(rows[0])] for name, rows in sorted(matrices.items())]
    head = json.dumps({"name": name, "seed": 7, "shapes": shapes}).encode()
    numbers = [value for _, rows in sorted(matrices.items()) for row in rows for value in row]
    return struct.pack("<Q", len(head)) + head + struct.pack(f"<{len(numbers)}d", *numbers)


def tasks() -> bytes:
    """256 looks at 20 things by customers of 6 columns, and as many steps."""
    lot, looks = random.Random(3), range(256)
    drawn = lambda rows, columns: [[lot.gauss(0, 1) for _ in range(columns)] for _ in range(rows)]
    things = [lot.randrange(20) for _ in looks]
    towers = {
        "customers": drawn(256, 6), "articles": drawn(256, 8), "things": [[float(thing)] for thing in things],
        "visits": [[float(look // 2)] for look in looks], "weights": [[1.0 + look % 3] for look in looks],
    }
    places = [[0.0] * 6 + [1.0 + lot.randrange(20) for _ in range(6)] for _ in looks]
    kinds = [[float(lot.randrange(4)) for _ in range(12)] for _ in looks]
    session = {"things": drawn(20, 8), "places": places, "kinds": kinds, "next": [[float(thing)] for thing in things]}
    return task("towers", towers) + task("session", session)


def main() -> None:
    programs, model = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    qemu = shutil.which("qemu-x86_64") or sys.exit("no qemu-x86_64 here\n  do: apt-get install qemu-user")
    texts = [text for text in json.loads(REFERENCE.read_text())["texts"] if len(text) <= 50]
    request = json.dumps({"model": str(model), "threads": 1, "texts": texts}).encode()
    expected: dict[str, str] = {}
    for name, emulator in [("this processor", [])] + [(cpu, [qemu, "-cpu", cpu]) for cpu in EMULATED]:
        started = time.perf_counter()
        steps, words = run(emulator, programs / "examples/steps")
        functions, _ = run(emulator, programs / "examples/functions")
        found = dict(line.rsplit(maxsplit=1) for line in (steps + functions).decode().splitlines())
        if name not in WITHOUT_FMA:
            answers, _ = run(emulator, programs / "selvedge-encoder", request)
            found[f"{len(texts)} texts of the encoder"] = vectors(answers)
            learned, _ = run(emulator, programs / "selvedge-towers", tasks(), TOWERS)
            found["deep models of two tasks"] = hashlib.sha256(learned).hexdigest()[:32]
        if not expected:
            expected = found
            print("".join(f"{what:<28} {bits}\n" for what, bits in found.items()))
        other = [what for what, bits in found.items() if expected[what] != bits]
        said = next(line for line in words.splitlines() if line.startswith("instructions: "))
        print(f"{name}: {said}; {len(found) - len(other)} of {len(found)} the same; {time.perf_counter() - started:.0f} s", flush=True)
        if other:
            sys.exit(f"other bits: {', '.join(other)}")
    print("the same bits everywhere")


if __name__ == "__main__":
    main()
