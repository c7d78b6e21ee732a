"""Programs that the tests need, from Debian's packages: nothing is installed, the machine's own are left alone."""

from __future__ import annotations

import platform
import shutil
from typing import TYPE_CHECKING, NamedTuple

from tests.containers.debian import Suite, unpack
from tests.containers.engine import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.entrypoint import Words

# The last release whose qemu-user is linked dynamically, so that libfaketime can set its clock. Programs of a later
# release have later names in it: what is unpacked under another suite's name is fetched again.
SUITE = "bookworm"
PACKAGES = ("busybox-static", "faketime", "qemu-user", "strace", "unzip")
FOLDER = ROOT / ".cache/standalone-tests" / SUITE
MACHINE = platform.machine()
LOADERS = {"x86_64": "lib64/ld-linux-x86-64.so.2", "aarch64": "lib/ld-linux-aarch64.so.1"}


class Tools(NamedTuple):
    """Programs in `folder`, which run with the libraries that they were built for."""

    folder: Path

    @property
    def busybox(self) -> Path:
        """A static program of many commands: it runs in an empty root."""
        return self.folder / "bin/busybox"

    @property
    def unzip(self) -> Words:
        """Words before its options."""
        return [*self._dynamic(), f"{self.folder}/usr/bin/unzip"]

    def strace(self, log: Path, trace: str) -> Words:
        """Words before a command: writes its calls, and those of its children, into `log`."""
        return [*self._dynamic(), f"{self.folder}/usr/bin/strace", "-f", "-qq", "-s4096", "-o", str(log), "-e", trace]

    def qemu(self, architecture: str, processor: str, *, clock: str = "") -> Words:
        """Words before a program: runs it on a model of a processor; `clock` is the time at its start, as
        "2050-01-31 12:00:00" in UTC, instead of this machine's."""
        setting = {"FAKETIME": f"@{clock}", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"} if clock else {}
        environ = ["/usr/bin/env", *(f"{name}={value}" for name, value in setting.items())]
        loaded = ["--preload", f"{self._libraries}/faketime/libfaketime.so.1"] if clock else []
        hidden = [word for name in setting for word in ("-U", name)]  # from the program
        emulator = f"{self.folder}/usr/bin/qemu-{architecture}"
        return [*environ, *self._dynamic(*loaded), emulator, *hidden, "-cpu", processor]

    @property
    def _libraries(self) -> Path:
        return self.folder / f"usr/lib/{MACHINE}-linux-gnu"

    def _dynamic(self, *options: str) -> Words:
        """Words before a dynamically linked program: the dynamic loader, which takes only libraries from here."""
        folders = f"{self.folder}/lib/{MACHINE}-linux-gnu:{self._libraries}"
        return [f"{self.folder}/{LOADERS[MACHINE]}", "--library-path", folders, *options]


def tools() -> Tools:
    """What is unpacked, after fetching it where it is not there. Raises EngineError, OSError, CalledProcessError."""
    done = FOLDER / "done"
    names = " ".join(PACKAGES)
    if not done.is_file() or done.read_text("utf-8") != names:
        shutil.rmtree(FOLDER, ignore_errors=True)
        unpack(Suite(SUITE, ROOT / ".cache/debian").fetch(PACKAGES), FOLDER)
        done.write_text(names, "utf-8")
    return Tools(FOLDER)
