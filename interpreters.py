"""Unpacks the CPythons that Debian has into .cache/, for build and tests, and says where each is. `make interpreters`.

Nothing is installed, and it needs no root: each runs where it is unpacked, with the C library that it was built for,
since this machine's may be older. What is there is kept; `rm -r .cache/interpreters` makes way for newer ones.
"""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from build import BYTECODE_VERSIONS, INTERPRETERS, ROOT, interpreters
from tests.containers.debian import Suite, unpack
from tests.containers.engine import EngineError

DONE = INTERPRETERS / "done"


def main() -> None:
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    versions = [version for version in BYTECODE_VERSIONS if version != running]
    # With the folder, since the interpreters do not run elsewhere.
    task = f"{', '.join(versions)} into {INTERPRETERS}\n"
    failure = ""
    if not DONE.is_file() or DONE.read_text("utf-8") != task:
        shutil.rmtree(INTERPRETERS, ignore_errors=True)
        try:
            unpack_all(versions)
            DONE.write_text(task, "utf-8")
        except (EngineError, OSError, subprocess.CalledProcessError) as error:
            failure = f"interpreters.py: cannot unpack interpreters from Debian's packages: {error}"

    found = interpreters()
    for python in found.values():
        print(f"CPython {python.release}: {python.path.removeprefix(f'{ROOT}/')}")
    if missing := [version for version in BYTECODE_VERSIONS if version not in found]:
        names = ", ".join(f"python{version}" for version in missing)
        print(f"CPython {', '.join(missing)}: not found; put {names} on PATH, or install with pyenv")
    if failure:
        sys.exit(failure)


def unpack_all(versions: Iterable[str]) -> None:
    """Unpack each of them that this machine's release of Debian has, or else sid. Raises EngineError or OSError."""
    system = platform.freedesktop_os_release()
    if system["ID"] != "debian":
        raise EngineError(f"this is {system['NAME']}")
    for name in dict.fromkeys((system.get("VERSION_CODENAME", "sid"), "sid")):
        suite = Suite(name, ROOT / ".cache/debian")
        here = [version for version in versions if suite.has(f"python{version}-minimal")]
        versions = [version for version in versions if version not in here]
        if here:
            unpack_from(suite, here, INTERPRETERS / name)


def unpack_from(suite: Suite, versions: Iterable[str], root: Path) -> None:
    """Unpack them into `root`, so that they run there."""
    names = [name for version in versions for name in (f"python{version}-minimal", f"libpython{version}-stdlib")]
    unpack(suite.fetch(["patchelf", *names]), root)
    folders = [folder for top in ("lib", "usr/lib") for folder in root.glob(f"{top}/*-linux-gnu*")]
    loader = next(file for folder in folders for file in folder.glob("ld-linux*.so.*"))
    libraries = ":".join(str(folder) for folder in folders)
    patchelf: list[str | Path] = [loader, "--library-path", libraries, root / "usr/bin/patchelf"]
    for version in versions:
        python = root / f"usr/bin/python{version}"
        # In this order, and not at once: patchelf 0.18 makes a file that crashes otherwise.
        subprocess.run([*patchelf, "--force-rpath", "--set-rpath", libraries, python], check=True)
        subprocess.run([*patchelf, "--set-interpreter", loader, python], check=True)
        # Like the maintainer scripts, which did not run: without bytecode of the standard library, each start is slow.
        subprocess.run([python, "-Im", "compileall", "-qj0", root / f"usr/lib/python{version}"], check=True)


if __name__ == "__main__":
    main()
