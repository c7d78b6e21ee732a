"""The compiler for both architectures, and what every build here shares: flags, environment, and what was built before.

It is zig's clang with its lld and musl, from PyPI's wheel `ziglang`: one pinned file for either architecture. (musl-gcc
of Debian has musl 1.2.3, which does no DNS over TCP.)
"""

import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

from standalone.sources import CACHE

ARCHITECTURES = ("x86_64", "aarch64")
NATIVE = platform.machine()
# Of the processor: x86-64 and ARMv8.0-A, not what the machine that builds has.
BASELINES = {"x86_64": "x86_64", "aarch64": "generic"}
FLAGS = (
    "-O2 -g0 -fPIE -ffunction-sections -fdata-sections -fstack-protector-strong "
    "-fno-unwind-tables -fno-asynchronous-unwind-tables"
)
# Builds record how the compiler was called: so it has a name without a path, and the rest comes from the environment.
TOOLS = {
    "standalone-cc": """\
#!/bin/sh
case $1 in
  --print-multiarch | -print-multiarch) echo "$STANDALONE_ARCHITECTURE-linux-musl" ;;
  *) exec "$STANDALONE_ZIG" cc -target "$STANDALONE_ARCHITECTURE-linux-musl" "-mcpu=$STANDALONE_BASELINE" \\
       -fno-sanitize=undefined -Wno-date-time "-ffile-prefix-map=$STANDALONE_CACHE=." "$@" ;;
esac
""",
    "standalone-ar": '#!/bin/sh\nexec "$STANDALONE_ZIG" ar "$@"\n',
    "standalone-ld": '#!/bin/sh\nexec "$STANDALONE_ZIG" ld.lld "$@"\n',
    "standalone-ranlib": '#!/bin/sh\nexec "$STANDALONE_ZIG" ranlib "$@"\n',
}


class BuildError(Exception):
    """A build failed."""


def version() -> str:
    """Of zig."""
    return distribution("ziglang").version


def built(name: str, ingredients: list[str], build: Callable[[Path], None]) -> Path:
    """The folder that `build` fills, which is kept by the hash of all that goes into it. Raises BuildError."""
    key = hashlib.sha256("\0".join([version(), Path(__file__).read_text("utf-8"), *ingredients]).encode()).hexdigest()
    folder = CACHE / f"{name}-{key[:16]}"
    done = folder / "done"
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"building {name} ...", flush=True)
        build(folder)
        done.touch()
    return folder


def environment(architecture: str) -> dict[str, str]:
    """What a build finds in its environment: nothing of the machine's own but PATH."""
    tools = CACHE / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    for name, text in TOOLS.items():
        script = tools / name
        if not script.is_file() or script.read_text("ascii") != text:
            script.write_text(text, "ascii")
        script.chmod(0o755)
    return {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(CACHE),
        "LC_ALL": "C",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": "315532800",  # what is kept must not depend on the commit
        "ZIG_GLOBAL_CACHE_DIR": str(CACHE / "zig"),
        "ZIG_LOCAL_CACHE_DIR": str(CACHE / "zig"),
        "STANDALONE_ZIG": str(distribution("ziglang").locate_file("ziglang/zig")),
        "STANDALONE_ARCHITECTURE": architecture,
        "STANDALONE_BASELINE": BASELINES[architecture],
        "STANDALONE_CACHE": str(CACHE),
        "CC": "standalone-cc",
        "AR": "standalone-ar",
        "RANLIB": "standalone-ranlib",
    }


def run(words: list[str], folder: Path, environ: dict[str, str]) -> str:
    """Run one step of a build in `folder`; what it wrote to standard output, which also goes to the folder's log.

    Raises BuildError.
    """
    ended = subprocess.run(words, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with (folder / "log").open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(words)}\n{ended.stdout}")
    if ended.returncode:
        problems = [line for line in ended.stdout.splitlines() if "error" in line.lower() and len(line) < 300]
        raise BuildError("\n".join([f"{words[0]} failed with {ended.returncode}; see {folder}/log", *problems[:10]]))
    return ended.stdout


def make(folder: Path, environ: dict[str, str], *words: str) -> str:
    """`make` on every core."""
    return run(["make", f"--jobs={os.cpu_count()}", *words], folder, environ)
