"""Writes dist/image.tar: an OCI image to copy the files from, for amd64 and arm64. `make image` runs it.

It is from scratch, and made by Buildah, which needs neither Docker nor, where user namespaces are allowed, root. Given
one version of Buildah it is the same bytes wherever and whenever it is built, so digests can be compared.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from build import PACKAGE, ROOT, SHEBANGS, commit, commit_date, write_sums
from standalone.toolchain import ARCHITECTURES

NAME = "run-lambda-entrypoint"
[VERSION] = re.findall('__version__ = "(.+)"', (ROOT / "src" / PACKAGE / "__init__.py").read_text("utf-8"))
PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}  # as the kernel says, as registries say
LABELS = {
    "title": NAME,
    "description": "Puts AWS secrets into the environment of a Lambda function; files to COPY --from",
    "version": VERSION,
    "revision": commit(),
    "licenses": "Apache-2.0",
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("architecture", nargs="*", help=f"of {', '.join(ARCHITECTURES)} (both)")
    arguments.add_argument("--folder", type=Path, default=ROOT / "dist", help="with the files, instead of dist/")
    options = arguments.parse_args()
    if not shutil.which("buildah"):
        sys.exit("image.py: buildah is missing; on Debian and Ubuntu, run `apt-get install buildah`")
    executables = {each: options.folder / f"{NAME}-{each}" for each in options.architecture or ARCHITECTURES}
    for architecture, executable in executables.items():
        if not executable.is_file():
            sys.exit(f"image.py: {executable} is missing; make it with `make standalone ARCHITECTURES={architecture}`")
    archives = [options.folder / name for name in SHEBANGS]
    for archive in archives:
        if not archive.is_file():
            sys.exit(f"image.py: {archive} is missing; make it with `make dist`")
    write_image(archives, executables, options.folder / "image.tar")
    write_sums(options.folder)


def write_image(archives: Sequence[Path], executables: Mapping[str, Path], target: Path) -> None:
    """Write an OCI layout, as a tar, of an image with one platform for each of the executables, by architecture."""
    with tempfile.TemporaryDirectory(prefix=f"{NAME}-image-") as folder:
        place = Path(folder)
        storage = (f"--root={place}/root", f"--runroot={place}/run", "--storage-driver=vfs")
        containerfile = place / "Containerfile"
        containerfile.write_text("FROM scratch\nCOPY . /\n")
        for architecture, executable in executables.items():
            files = place / architecture
            stage([*archives, executable], files)
            buildah(
                place,
                *(*storage, "build", "--quiet", f"--manifest={NAME}", f"--platform={PLATFORMS[architecture]}"),
                *(f"--timestamp={commit_date()}", "--identity-label=false", "--layers=false", "--isolation=chroot"),
                *(f"--label=org.opencontainers.image.{name}={value}" for name, value in LABELS.items()),
                *(f"--file={containerfile}", str(files)),
            )
        layout = place / "layout"
        buildah(place, *storage, "manifest", "push", "--quiet", "--all", NAME, f"oci:{layout}:{VERSION}")
        pack(layout, target)
    print(f"{target.stat().st_size:>11,} bytes: {target.name} for {', '.join(map(PLATFORMS.__getitem__, executables))}")


def stage(files: Sequence[Path], folder: Path) -> None:
    """Fill a new folder with an image's files: `files`, of which the last is the executable; licenses; sums."""
    folder.mkdir()
    *_, executable = files
    for file in files:
        shutil.copyfile(file, folder / (NAME if file is executable else file.name))
    # Behind its ELF header it is an archive, which Python runs whatever the platform.
    text = subprocess.run([sys.executable, "-ISB", executable, "--licenses"], check=True, capture_output=True).stdout
    (folder / "LICENSES").write_bytes(text)
    write_sums(folder)
    for path in folder.iterdir():
        path.chmod(0o755 if path.name.startswith(NAME) else 0o644)
    folder.chmod(0o755)


def buildah(folder: Path, *words: str) -> None:
    """Run Buildah with all its files in `folder`, and without settings of the machine or the user."""
    command = ["buildah", *words]
    # Not the whole environment: BUILDAH_FORMAT changes the bytes, and newer releases refuse SOURCE_DATE_EPOCH together
    # with --timestamp.
    environ = {"PATH": os.environ.get("PATH", os.defpath), "CONTAINERS_CONF": os.devnull}
    environ |= dict.fromkeys(("HOME", "TMPDIR", "XDG_RUNTIME_DIR"), str(folder))
    if subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode:
        sys.exit(f"image.py: {' '.join(command)} failed")


def pack(folder: Path, target: Path) -> None:
    """Write a folder's files as a tar that depends on nothing else."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.isdir() else 0o644
        entry.mtime = commit_date()
        return entry

    partial = target.with_suffix(".partial")
    with tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as written:
        for path in sorted(folder.rglob("*")):
            written.add(path, str(path.relative_to(folder)), recursive=False, filter=plain)
    partial.chmod(0o644)
    partial.replace(target)


if __name__ == "__main__":
    main()
