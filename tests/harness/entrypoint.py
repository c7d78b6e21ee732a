"""Starts the built archive as a child process, as a container would."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tests.harness.process import Surroundings, run, started

Environ = Mapping[str, str] | Sequence[bytes]
Words = Sequence[str | bytes]

PLAIN = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
"""An environment without AWS."""

KEY_ID, SECRET_KEY = "AKIDFUNCTION", "function/secret/key"
TRANSPORTS = ("direct", "botocore")


def shell(text: str) -> Words:
    """Words before a command: a shell that does `text`, then becomes the command."""
    return ["/bin/sh", "-c", f'{text}; exec "$@"', "sh"]


# Words before a command that change one thing of the process.
_UNSHARE = shutil.which("unshare") or "/usr/bin/unshare"
WITHOUT_PASSWD_ENTRY: Words = (_UNSHARE, "--user", "--map-user=64321")
WITH_OWN_MOUNTS: Words = (_UNSHARE, "--mount")
WITHOUT_PROC: Words = (*WITH_OWN_MOUNTS, *shell("mount -t tmpfs none /proc"))
AS_PID_1: Words = (_UNSHARE, "--pid", "--fork", "--kill-child", "--mount-proc")


def permitted(before: Words) -> bool:
    """Whether this machine lets us change that."""
    try:
        return run([*before, "/bin/true"]).status == 0
    except FileNotFoundError:
        return False


def aws(url: str, references: Mapping[str, str], **more: str) -> dict[str, str]:
    """A function's environment, with Secrets Manager at `url` and a variable for each of `references`."""
    return {
        **PLAIN,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": url,
        "LAMBDA_ENV_TIMEOUT_SECONDS": "30",  # no test fails for the machine's being slow
        **references,
        **more,
    }


def block(environ: Mapping[str, str]) -> list[bytes]:
    """The entries of an environment, for a test that adds to them what no mapping can hold."""
    return [f"{name}={value}".encode() for name, value in environ.items()]


class Ended(NamedTuple):
    """How a process ended. `code` is negative for a signal."""

    code: int
    out: bytes
    err: str

    @property
    def environ(self) -> dict[str, str]:
        """What the command wrote, where that is `cat /proc/self/environ`."""
        return dict(entry.split("=", 1) for entry in self.out.decode().split("\0")[:-1])


def is_executable(archive: Path) -> bool:
    """Whether that is an executable that brings its own interpreter, and no archive with a shebang line."""
    with archive.open("rb") as file:
        return file.read(4) == b"\x7fELF"


class Entrypoint:
    """The archive at `archive`, run by this test's own interpreter; or an executable that brings its own."""

    def __init__(self, archive: Path) -> None:
        self.archive = archive

    @property
    def words(self) -> list[str]:
        """What stands before the options and the command: for an archive what the kernel makes of the shebang line."""
        return [*self.interpreter(sys.executable), str(self.archive)]

    def interpreter(self, python: str) -> list[str]:
        """What runs the file where `python` is the interpreter: nothing for an executable."""
        return [] if is_executable(self.archive) else [python, flags(self.archive)]

    def __call__(
        self,
        *words: str | bytes,
        environ: Environ = PLAIN,
        before: Words = (),
        surroundings: Surroundings = Surroundings(),  # noqa: B008 - frozen
    ) -> Ended:
        """Runs it to its end; `before` is a program that becomes the words behind it."""
        ended = run([*before, *self.words, *words], replace(surroundings, environ=environ))
        return Ended(ended.status, ended.stdout, ended.stderr.decode(errors="backslashreplace"))

    @contextmanager
    def started(
        self,
        *words: str | bytes,
        environ: Environ = PLAIN,
        before: Words = (),
        surroundings: Surroundings = Surroundings(),  # noqa: B008 - frozen
    ) -> Iterator[subprocess.Popen[bytes]]:
        """The running process."""
        pipe = subprocess.PIPE
        arguments = [*before, *self.words, *words]
        with started(arguments, replace(surroundings, environ=environ), stdout=pipe, stderr=pipe) as process:
            yield process


def flags(archive: Path) -> str:
    """What the archive's shebang line gives its interpreter: -ISB, and the code that executes the first entry."""
    with archive.open("rb") as file:
        return file.readline().decode().partition(" ")[2].strip()


def with_interpreter(archive: Path, python: str | Path, target: Path) -> Path:
    """A copy of the archive with the shebang line that build.py writes for another interpreter."""
    line, _, rest = archive.read_bytes().partition(b"\n")
    own = f"#!{python} {line.decode().partition(' ')[2].strip()}"
    if len(own) > len(line):
        own = f"#!{python} -ISB"
    target.write_bytes(own.ljust(len(line)).encode() + b"\n" + rest)
    target.chmod(0o755)
    return target


def end(process: subprocess.Popen[bytes], seconds: float = 60) -> Ended:
    """Waits for a running process. Raises TimeoutExpired after `seconds`."""
    out, err = process.communicate(timeout=seconds)
    return Ended(process.returncode, out, err.decode(errors="backslashreplace"))
