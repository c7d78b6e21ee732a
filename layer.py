"""Writes the layers into dist/: a zip for each architecture, with the executable. `make layer` runs it.

Lambda unpacks a layer to /opt and keeps the permissions that the zip records. Like the executable, the zip is the same
bytes wherever and whenever it is built, as long as zlib is the same.
"""

import argparse
import sys
import zipfile
from pathlib import Path

from build import ROOT, commit_date, write_sums, zip_entry
from standalone.toolchain import ARCHITECTURES

NAME = "run-lambda-entrypoint"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("architecture", nargs="*", help=f"of {', '.join(ARCHITECTURES)} (both)")
    arguments.add_argument("--folder", type=Path, default=ROOT / "dist", help="with the executables, instead of dist/")
    options = arguments.parse_args()
    for architecture in options.architecture or ARCHITECTURES:
        executable = options.folder / f"{NAME}-{architecture}"
        if not executable.is_file():
            sys.exit(f"layer.py: {executable} is missing; make it with `make standalone ARCHITECTURES={architecture}`")
        write_layer(executable, layer_path(options.folder, architecture))
    write_sums(options.folder)


def layer_path(folder: Path, architecture: str) -> Path:
    return folder / f"{NAME}-layer-{architecture}.zip"


def write_layer(executable: Path, target: Path) -> None:
    """Write a layer with the executable as /opt/run-lambda-entrypoint."""
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as written:
        written.writestr(
            zip_entry(NAME, commit_date(), 0o755), executable.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9
        )
    partial.chmod(0o644)
    partial.replace(target)
    print(f"{target.stat().st_size:>11,} bytes: {target.name}")


if __name__ == "__main__":
    main()
