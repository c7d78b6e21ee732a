"""Debian packages, fetched by apt from the mirror that this machine uses and unpacked into a folder.

Nothing is installed and no maintainer script runs, which is also how the real distroless images are made.
"""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.containers.engine import EngineError, apt

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Suite:
    """A release of Debian, whatever release this machine has. What is fetched is kept in `cache`."""

    def __init__(self, name: str, cache: Path) -> None:
        self._cache = cache / name
        self._archives = self._cache / "archives"
        for folder in (self._archives / "partial", self._cache / "lists" / "partial"):
            folder.mkdir(parents=True, exist_ok=True)
        (self._cache / "status").write_text("")  # apt is to think that nothing is installed
        sources = self._cache / "sources.list"
        sources.write_text(f"deb [signed-by={_KEYRING}] {_mirror()} {name} main\n")
        self._options = [
            f"-oDir::Etc::SourceList={sources}",
            "-oDir::Etc::SourceParts=/dev/null",
            f"-oDir::State::Lists={self._cache}/lists",
            f"-oDir::State::status={self._cache}/status",
            f"-oDir::Cache={self._cache}",
            f"-oDir::Cache::Archives={self._archives}",
            "-oAPT::Install-Recommends=false",
            "-oAPT::Sandbox::User=root",  # the cache may lie where the user _apt cannot go
            "-oAPT::Keep-Downloaded-Packages=true",
            "-oDPkg::Post-Invoke::=true",
        ]
        apt(*self._options, "update")

    def has(self, package: str) -> bool:
        """Whether the release has a package of this name."""
        command = ["apt-cache", *self._options, "pkgnames", package]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return package in listed.split()

    def fetch(self, packages: Sequence[str]) -> list[Path]:
        """The files of `packages` and of all that they depend on. Raises EngineError."""
        apt(*self._options, "install", "--yes", "--download-only", *packages)
        planned = apt(*self._options, "--simulate", "install", *packages)
        # Inst tzdata (2026a-0+deb13u1 Debian:13.8/stable [all])
        found = re.findall(r"^Inst (\S+) \((\S+) .*\[(\S+)\]\)", planned, re.MULTILINE)
        return [self._archives / f"{n}_{version.replace(':', '%3a')}_{a}.deb" for n, version, a in found]


def unpack(packages: Sequence[Path], root: Path) -> None:
    """Unpacks packages into `root`."""
    for name in ("bin", "lib", "lib64", "sbin"):  # all packages of today are made for a merged /usr
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    for package in packages:
        subprocess.run(["dpkg-deb", "--extract", package, root], check=True)


def _mirror() -> str:
    """Where this machine gets Debian itself from. Raises EngineError."""
    known = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    if not apt(*known):
        apt("update")
    mirrors = apt(*known).split()
    if not mirrors:
        raise EngineError("base images are assembled from Debian's packages, and apt knows no mirror of Debian")
    return mirrors[0]
