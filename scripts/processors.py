"""Do vectors have the same bits on other processors?  Runs here and on emulated ones, and compares.

    python scripts/processors.py STEPS ENCODER MODEL      see `make processors`

STEPS is crates/transformer's example `processors`: it prints a hash of what each step of the forward pass gives, after it has
tried every kind of instructions that the processor has.  ENCODER is the program `selvedge-encoder`, whole, with libtorch,
which encodes the short ones of the reference texts with MODEL.  Emulation is by qemu's user mode (Debian: qemu-user); it knows
AVX2 and FMA, and no AVX-512.  Nehalem has neither: there, plain Rust must do.

Exit code 0: the same everywhere; 1: not.
"""

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "crates/sentence-encoder/tests/encoder/data/minilm_reference.json"
EMULATED = ["Haswell-v4", "Skylake-Client-v4", "EPYC", "EPYC-Milan", "Nehalem"]


def run(emulator: list[str], program: str, given: bytes = b"") -> tuple[bytes, str, float]:
    started = time.perf_counter()
    done = subprocess.run([*emulator, program], input=given, capture_output=True)
    words = done.stderr.decode(errors="replace")
    if done.returncode:
        sys.exit(f"{' '.join([*emulator, program])} ended with {done.returncode}:\n{words}\n{done.stdout.decode(errors='replace')}")
    return done.stdout, words, time.perf_counter() - started


def vectors(answers: bytes) -> str:
    """The hash of the answers in the order of the texts: 4 bytes of position, then 384 numbers of 4 bytes."""
    size = 4 + 4 * 384
    each = sorted((answers[at : at + size] for at in range(0, len(answers), size)), key=lambda a: int.from_bytes(a[:4], "little"))
    return hashlib.sha256(b"".join(each)).hexdigest()[:32]


def main() -> None:
    steps, encoder, model = sys.argv[1:]
    qemu = shutil.which("qemu-x86_64") or sys.exit("no qemu-x86_64 here\n  do: apt-get install qemu-user")
    texts = [text for text in json.loads(REFERENCE.read_text())["texts"] if len(text) <= 50]
    request = json.dumps({"model": str(pathlib.Path(model).resolve()), "threads": 1, "texts": texts}).encode()
    expected = None
    for name, emulator in [("this processor", [])] + [(cpu, [qemu, "-cpu", cpu]) for cpu in EMULATED]:
        hashes, words, seconds = run(emulator, steps)
        said = next(line for line in words.splitlines() if line.startswith("instructions: "))
        answers, _, more = run(emulator, encoder, request)
        found = f"{hashes.decode()}{f'{len(texts)} texts of the encoder':<28} {vectors(answers)}\n"
        if expected is None:
            expected = found
            print(f"{found}\n{name}: {said}; {seconds:.1f} s and {more:.1f} s", flush=True)
        elif found == expected:
            print(f"{name}: {said}; the same; {seconds:.1f} s and {more:.1f} s", flush=True)
        else:
            sys.exit(f"{name}: {said}; other bits:\n{found}")
    print("the same bits everywhere")


if __name__ == "__main__":
    main()
