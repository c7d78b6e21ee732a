"""An empty root and a network of its own for one run of the executable. Takes root."""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import shutil
import socket
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.harness.entrypoint import Ended, Entrypoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.conformance.certificates import Certificate
    from tests.harness.entrypoint import Words
    from tests.standalone.tools import Tools

UID = 993  # Lambda's
EXECUTABLE, BUSYBOX, AUTHORITY = "/run-lambda-entrypoint", "/busybox", "/authority.pem"

CLONE_NEWNET = 0x40000000  # sched.h
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1  # net/if.h

# Not `mount --bind -o ro`: what that does depends on util-linux's version. The executable's environment is set by a
# static program, since LD_PRELOAD and the like are not for those on the way.
ENTER = f"""\
root=$1 && shift && /usr/bin/mount --bind "$root" "$root" && /usr/bin/mount -o remount,bind,ro "$root" &&
exec /usr/sbin/chroot --userspec={UID}:{UID} --groups= "$root" {BUSYBOX} env -i "$@"
"""


@contextmanager
def own_network() -> Iterator[None]:
    """Puts this thread, and the threads and processes that it starts, into a network that has nothing but loopback."""
    libc = ctypes.CDLL(None, use_errno=True)

    def check(result: int) -> None:
        if result:
            number = ctypes.get_errno()
            raise OSError(number, f"no network namespace: {os.strerror(number)}")

    with Path("/proc/thread-self/ns/net").open("rb") as before:
        check(libc.unshare(CLONE_NEWNET))
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
                fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
            yield
        finally:
            check(libc.setns(before.fileno(), CLONE_NEWNET))


class Executable(Entrypoint):
    """The executable at `archive`, which may be a path in another root."""

    @property
    def words(self) -> list[str]:
        return [str(self.archive)]


class Traced(NamedTuple):
    """How a run ended, and the paths that it asked the kernel for until it became the command. What is below the
    executable, which is not a folder, counts as the executable."""

    ended: Ended
    paths: set[str]


class Root:
    """A folder that is the root of the executable's file system, with no more in it than a test puts there.

    At first: the executable, busybox, an authority's certificate, /etc/hosts with localhost, an empty /etc/resolv.conf.
    """

    def __init__(self, folder: Path, executable: Path, tools: Tools, ca: Certificate) -> None:
        self._folder = folder
        self._log = folder.with_name(f"{folder.name}.log")
        self._tools = tools
        folder.chmod(0o755)
        shutil.copy(executable, self._folder / EXECUTABLE[1:])
        shutil.copy(tools.busybox, self._folder / BUSYBOX[1:])
        self.write(AUTHORITY, ca.pem)
        self.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
        self.write("/etc/resolv.conf", "")

    def write(self, path: str, content: str | bytes) -> None:
        """Makes a file that everyone can read."""
        file = self._folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def run(self, *words: str, environ: Mapping[str, str], before: Words = ()) -> Ended:
        """Runs the executable to its end: as Lambda's uid and as PID 1, on a read-only root, in `/`."""
        variables = [f"{name}={value}" for name, value in environ.items()]
        unshare = ["/usr/bin/unshare", "--mount", "--pid", "--fork", "--kill-child"]
        enter = [*before, *unshare, "/bin/sh", "-c", ENTER, "sh", str(self._folder), *variables]
        return Executable(Path(EXECUTABLE))(*words, environ={}, before=enter)

    def trace(self, *words: str, environ: Mapping[str, str]) -> Traced:
        """The same under strace, with what it has seen."""
        ended = self.run(*words, environ=environ, before=self._tools.strace(self._log, "trace=%file,connect,bind"))
        return Traced(ended, _paths(self._log.read_text("utf-8", "backslashreplace")))


_CALL = re.compile(r"^\d+ +(?P<name>\w+)\((?P<rest>.*)$")
_PATH = re.compile(r'"(?P<path>(?:[^"\\]|\\.)*)"')


def _paths(log: str) -> set[str]:
    """The first path of each call between the executable's own execve and the command's."""
    _, found, rest = log.partition(f'execve("{EXECUTABLE}", ')
    assert found, f"strace saw no start of the executable:\n{log}"
    paths = set()
    for line in rest.splitlines()[1:]:
        if "<... execve resumed>" in line and line.endswith(" = 0"):
            break
        if (call := _CALL.match(line)) is None:  # the end of a call that another thread interrupted, or of a process
            continue
        if call["name"] in {"connect", "bind"} and "AF_UNIX" not in line:
            continue
        match = _PATH.search(call["rest"])
        if match and match["path"]:  # none: a call about a descriptor
            below = match["path"].startswith(f"{EXECUTABLE}/")
            paths.add(EXECUTABLE if below else match["path"])
        if call["name"] == "execve" and line.endswith(" = 0"):
            break
    return paths
