"""Builds the executables that bring their own interpreter, in dist/. `make standalone` runs it.

Static CPython, OpenSSL and zlib; the standard library, frozen; our archive, appended.
"""

import argparse
import fcntl
import sys
from collections import Counter
from pathlib import Path

from build import collect, compile_packages, identity, staged, write, write_sums
from standalone import libraries, sources, toolchain
from standalone.components import components
from standalone.executable import freeze, link, parts
from standalone.interpreter import CPython, interpreter

DIST = sources.ROOT / "dist"
MAX_SIZE = 16_500_000  # bytes


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("architecture", nargs="*", help=f"of {', '.join(toolchain.ARCHITECTURES)} (this machine's)")
    arguments.add_argument("--extra-root", metavar="PEM", type=Path, help="for tests: trust this root too")
    arguments.add_argument("--output", metavar="FOLDER", type=Path, default=DIST, help="instead of dist/")
    options = arguments.parse_args()
    if options.extra_root and options.output.resolve() == DIST:
        arguments.error("--extra-root needs --output: files in dist/ must not trust an additional root")
    architectures = options.architecture or [toolchain.NATIVE]
    for unknown in {*architectures, toolchain.NATIVE} - {*toolchain.ARCHITECTURES}:
        arguments.error(f"{unknown} is not one of {', '.join(toolchain.ARCHITECTURES)}")
    sources.CACHE.mkdir(parents=True, exist_ok=True)
    try:
        with (sources.CACHE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another build would fill the same folders
            build(architectures, options.extra_root, options.output)
    except (sources.SourceError, toolchain.BuildError) as error:
        sys.exit(f"standalone: {error}")


def build(architectures: list[str], extra_root: Path | None, output: Path) -> None:
    """Raises SourceError and BuildError."""
    native = cpython(toolchain.NATIVE)
    python = identity(native.python, with_libraries=True)
    with staged(extra_root) as packages:
        bytecode = compile_packages(packages, python)
        library = freeze(native, packages)
        entries = dict(collect(packages, bytecode))
    for component in components():
        entries |= {
            f"licenses/{component.name} {component.version}/{name}": text.encode()
            for name, text in component.texts.items()
        }
    package = bytecode[f"bytecode/{python.tag}"]
    output.mkdir(parents=True, exist_ok=True)
    for architecture in architectures:
        target = output / f"run-lambda-entrypoint-{architecture}"
        folder = link(cpython(architecture), architecture, library, package)
        linked = (folder / "linked").read_bytes()
        write(entries, target, linked)
        report(target, parts(folder), len(linked))
    write_sums(output)


def report(target: Path, sizes: Counter[str], linked: int) -> None:
    """Print what takes the space; fail if it is too much."""
    size = target.stat().st_size
    sizes["archive"] = size - linked
    for part, bytes_ in sizes.most_common():
        print(f"{bytes_:>11,} bytes of {part}")
    print(f"{size:>11,} bytes: {target.name}")
    if size > MAX_SIZE:
        sys.exit(f"standalone: {target.name} is larger than {MAX_SIZE:,} bytes")


def cpython(architecture: str) -> CPython:
    pins = sources.pinned()
    zlib = libraries.zlib(pins["zlib"], architecture)
    openssl = libraries.openssl(pins["OpenSSL"], architecture)
    native = None if architecture == toolchain.NATIVE else cpython(toolchain.NATIVE)
    return interpreter(pins["CPython"], architecture, zlib, openssl, native)


if __name__ == "__main__":
    main()
