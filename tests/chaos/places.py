"""Where starts are made: a folder with the file under test, and with all files that its surroundings refer to."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import trustme

from tests.behavior.test_leaks import MARKER
from tests.chaos.choices import EXECUTABLE, PYTHON, SHEBANG
from tests.harness.entrypoint import is_executable, permitted
from tests.transports.runs import context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

MAX_PLACES = 100
IS_ROOT = os.geteuid() == 0
KEYS = {"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "hunter2ZXQJ"}
FILES = {
    # What the environments and commands in `choices` refer to.
    "authority.pem": "",
    "broken": f"[default\naws_secret_access_key {MARKER}\n",
    "process": "[default]\ncredential_process = {folder}/print\n",
    "hanging": "[default]\ncredential_process = /bin/sleep 601\n",
    "list": "[default]\ncredential_process = /bin/echo []\n",
    "token": f"{MARKER}\n{MARKER}\n",
    "print": f"#!/bin/sh\necho '{json.dumps(KEYS)}'\n",
    "script": "#!/nosuch\n",
    "json.py": "raise SystemExit('a module of the function itself')\n",
}


class Place(NamedTuple):
    """Where starts are made, one after the other: a folder with all files, and an empty one that is theirs."""

    folder: Path
    home: Path
    uid: int
    files: dict[str, Path]
    """The file under test for each form that can be started here."""
    python: str
    tls: ssl.SSLContext


@contextmanager
def places(archives: list[Path], count: int) -> Iterator[list[Place]]:
    """As many places as there are starts at one time."""
    authority = trustme.CA()
    tls = context(authority.issue_cert("127.0.0.1"))
    with TemporaryDirectory(prefix="chaos-") as parent:
        Path(parent).chmod(0o755)
        made = []
        for number in range(count):
            folder = Path(parent, str(number))
            (folder / "home").mkdir(parents=True)
            (folder / "modules").mkdir()
            for name, text in FILES.items():
                file = folder / ("modules" if name.endswith(".py") else "") / name
                file.write_text(text.replace("{folder}", str(folder)))
                file.chmod(0o755)
            authority.cert_pem.write_to_path(folder / "authority.pem")
            files: dict[str, Path] = {}
            for archive in archives:
                copied = Path(shutil.copy(archive, folder))
                copied.chmod(0o755)
                files |= dict.fromkeys([EXECUTABLE] if is_executable(archive) else [SHEBANG, PYTHON], copied)
            uid = user(number)
            if IS_ROOT:
                for path in (folder, *folder.rglob("*")):
                    os.chown(path, uid, uid)
            made.append(Place(folder, folder / "home", uid, files, python(), tls))
        yield made


@cache
def python() -> str:
    """An interpreter that another user may start."""
    # Behind prlimit, since setpriv itself executes a program while it still has root's capabilities.
    before = [*somebody(user(0)), "/usr/bin/prlimit"]
    new_enough = ["-c", "import sys; sys.exit(sys.version_info < (3, 10))"]
    for found in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        if permitted([*before, found, *new_enough]):
            return found
    raise FileNotFoundError(errno.ENOENT, "no Python here can be started by another user")


def user(number: int) -> int:
    """Who starts in a place: nobody else, since a limit on processes counts all of a user's."""
    return 20_000 + (os.getpid() * MAX_PLACES + number) % 40_000 if IS_ROOT else os.getuid()


def somebody(uid: int) -> list[str]:
    """Words before a command that make it run as this user."""
    return ["/usr/bin/setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if IS_ROOT else []


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of each file in a folder, by path."""
    return {
        str(path.relative_to(folder)): (status.st_size, status.st_mtime_ns)
        for path in folder.rglob("*")
        if (status := path.stat())
    }
