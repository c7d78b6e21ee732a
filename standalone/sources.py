"""The upstream sources, taken by SHA-256: pins.json has them, and `make bump-standalone` moves them."""

import hashlib
import http.client
import json
import os
import shutil
import tarfile
import urllib.request
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PINS = Path(__file__).with_name("pins.json")
CACHE = Path(os.environ.get("STANDALONE_CACHE") or ROOT / ".cache/standalone").resolve()
# Where machines that reach only package indexes have the tarballs.
FOLDER = Path(os.environ.get("STANDALONE_SOURCES") or ROOT.parent / "shared/sources")


class SourceError(Exception):
    """A source cannot be had, or is not the pinned one."""


class Source(NamedTuple):
    """A tarball with one of these SHA-256 sums: upstream's own, or a repack with the same files that we compile."""

    name: str
    version: str
    url: str
    sums: tuple[str, ...]

    @property
    def file(self) -> str:
        return self.url.rpartition("/")[2]


def pinned() -> dict[str, Source]:
    """By name."""
    pins = json.loads(PINS.read_text("utf-8"))
    return {
        name: Source(name, pin["version"], pin["url"].format(version=pin["version"]), tuple(pin["sha256"]))
        for name, pin in pins.items()
    }


def unpacked(source: Source) -> Path:
    """The folder of the source's files; builds write elsewhere. Raises SourceError."""
    folder = CACHE / "sources" / f"{source.name}-{source.version}-{source.sums[0][:12]}"
    if not folder.is_dir():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        with tarfile.open(tarball(source)) as archived:
            archived.extraction_filter = getattr(tarfile, "data_filter", None)  # older Pythons have none
            archived.extractall(partial)  # noqa: S202 - its sum is pinned
        [top] = partial.iterdir()  # Python-3.13.15
        top.rename(folder)
        partial.rmdir()
    return folder


def tarball(source: Source) -> Path:
    """The file itself: from FOLDER, else downloaded before, else from upstream. Raises SourceError."""
    downloaded = CACHE / "downloads" / source.file
    candidates = [path for path in (FOLDER / source.file, downloaded) if path.is_file()]
    if not candidates:
        download(source.url, downloaded)
        candidates = [downloaded]
    found = digest(candidates[0])
    if found not in source.sums and source.sums:
        downloaded.unlink(missing_ok=True)  # it may be truncated
        raise SourceError(f"{candidates[0]} is not the pinned {source.name} {source.version}: its SHA-256 is {found}")
    return candidates[0]


def download(url: str, target: Path) -> None:
    """Raises SourceError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    print(f"downloading {url} ...", flush=True)
    try:
        with urllib.request.urlopen(url, timeout=60) as reply, partial.open("wb") as file:  # noqa: S310 - https
            shutil.copyfileobj(reply, file)
    except (OSError, http.client.HTTPException) as error:
        advice = "put the file into a folder, and set STANDALONE_SOURCES to that"
        raise SourceError(f"{url} cannot be downloaded ({error}); {advice}") from None
    partial.replace(target)


def digest(path: Path) -> str:
    """Its SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
