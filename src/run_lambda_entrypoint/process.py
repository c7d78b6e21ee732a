"""The wrapped command: found, put into the emulator where asked for, started in our place."""

from __future__ import annotations

import errno
import os
import sys

from .environment import as_bytes
from .errors import (
    CommandNotExecutableError,
    CommandNotFoundError,
    EntrypointError,
    EnvironmentTooLargeError,
    printable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping
    from typing import NoReturn
else:
    import _signal as signal  # signal.py makes enums out of it: 0.6 ms

# What the emulator accepts (logrus.ParseLevel); anything else is fatal to it.
EMULATOR_LEVELS = frozenset({"panic", "fatal", "error", "warn", "warning", "info", "debug", "trace"})

HEAD = 4096  # bytes that hold a script's first line, or an ELF program's headers and the name of its loader
PT_INTERP = 3


def find(word: str, path: str | None, role: str = "command") -> str:
    """The file that execvp would start for `word`; `path` is the value of PATH, None if that is not set.

    Raises CommandNotFoundError, CommandNotExecutableError.
    """
    if "/" in word:
        candidates = [word]
    else:
        # os.defpath is the C library's own default (execvp(3)). An empty entry means the working directory.
        folders = (os.defpath if path is None else path).split(":")
        candidates = [f"{folder or '.'}/{word}" for folder in folders]
    refused = None
    for candidate in candidates:
        if os.path.isfile(as_bytes(candidate)):
            if os.access(as_bytes(candidate), os.X_OK):
                return candidate
            refused = (
                refused
                or f"{printable(candidate)} is not executable by this user; chmod 0755 it in the image"
            )
        elif "/" in word and os.path.exists(as_bytes(candidate)):
            refused = f"{printable(candidate)} is no program but a folder or a device; name a regular file"
    if refused:
        raise CommandNotExecutableError(f"{role}: {refused}")
    if "/" in word:
        raise CommandNotFoundError(
            f'{role} "{printable(word)}" does not exist; copy it into the image, or mend its path'
        )
    where = "PATH is not set" if path is None else f"PATH is {printable(path)}"
    raise CommandNotFoundError(f'{role} "{printable(word)}" was not found ({where}); give its absolute path')


def found(command: list[str], emulator: str | None, environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """The file to start for `command` and its arguments; where `emulator` names the Runtime Interface Emulator, that
    with the command as its arguments. Nothing for no command (a dry run).

    Raises CommandNotFoundError, CommandNotExecutableError.
    """
    path = environ.get("PATH")
    if not command:
        return "", []
    file = find(command[0], path)
    if not emulator:
        return file, command
    # LOG_LEVEL from before the secrets, put first among the emulator's arguments, beats the variable: a secret called
    # LOG_LEVEL must not change (or, unknown, end) the emulator. No `--` before the command: the emulator would run it.
    # And the file instead of the word: the emulator would look that up in the PATH that a secret may have set.
    level = environ.get("LOG_LEVEL", "").lower()
    options = ["--log-level", level if level in EMULATOR_LEVELS else "info"]
    return find(emulator, path, "emulator (--rie-path)"), [emulator, *options, file, *command[1:]]


def replace(file: str, arguments: list[str], environ: Mapping[bytes, bytes]) -> NoReturn:
    """Becomes `file`, with the state that it would have had without us.

    Raises CommandNotFoundError, CommandNotExecutableError, EnvironmentTooLargeError.
    """
    # CPython ignores these at its start, and exec passes that on. Whether they were ignored before can no longer be
    # known. Handlers of ours become the default by themselves, but a signal that came in before would be lost:
    # signal.signal runs its handler first.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(as_bytes(file), list(map(as_bytes, arguments)), environ)
    except OSError as error:
        raise _refusal(file, error) from None


def check(file: str, arguments: list[str], environ: Mapping[bytes, bytes]) -> None:
    """Raises what `replace` would, without doing it. Without a file (a dry run without a command) only the size of
    arguments and environment is checked."""
    if file and os.access(as_bytes(file), os.R_OK):
        with open(as_bytes(file), "rb") as program, open("/proc/self/exe", "rb") as own:
            interpreter = _interpreter(program.read(HEAD), own.read(HEAD))
        if interpreter is None:
            raise _refusal(file, OSError(errno.ENOEXEC, ""))
        if interpreter and not os.path.exists(interpreter):
            raise _refusal(file, OSError(errno.ENOENT, ""))
        if interpreter and not (os.path.isfile(interpreter) and os.access(interpreter, os.X_OK)):
            raise _refusal(file, OSError(errno.EACCES, os.strerror(errno.EACCES)))
    # The kernel counts arguments and environment before it looks at the format, which nothing knows of this file.
    nothing = os.memfd_create("nothing")
    os.write(nothing, b"nothing")
    try:
        os.execve(f"/proc/self/fd/{nothing}", list(map(as_bytes, arguments)) or ["nothing"], environ)
    except OSError as error:
        if error.errno == errno.E2BIG:
            raise _refusal(file, error) from None


def _interpreter(head: bytes, own: bytes) -> bytes | None:
    """What has to be there for a program that begins with `head` to run, b"" for nothing; None for no format that the
    kernel runs. `own` is the beginning of a program that it does run: ours (see elf(5) for the places)."""
    if head.startswith(b"#!"):
        words = head[2:].partition(b"\n")[0].split()
        return words[0] if words else None
    if head[:5] != own[:5] or head[18:20] != own[18:20]:  # ELF of our word size, and our machine's
        return None

    def number(place: int, size: int) -> int:
        return int.from_bytes(head[place : place + size], sys.byteorder)

    for segment in range(number(56, 2)):
        place = number(32, 8) + segment * number(54, 2)
        if number(place, 4) == PT_INTERP:
            start = number(place + 8, 8)
            return head[start : start + number(place + 32, 8)].rstrip(b"\0")
    return b""


def _refusal(file: str, error: OSError) -> EntrypointError:
    name = printable(file)
    if error.errno == errno.ENOENT:
        if os.path.exists(as_bytes(file)):
            return CommandNotFoundError(
                f"{name} is there but its interpreter is not: the program that its first line (#!) or its ELF header "
                "names does not exist in this image"
            )
        return CommandNotFoundError(f"{name} was not found")
    if error.errno == errno.E2BIG:
        return EnvironmentTooLargeError(error.strerror)
    if error.errno == errno.ENOEXEC:
        return CommandNotExecutableError(
            f"{name} has no format that the kernel runs (Exec format error): a script without a #! line, or a program "
            "for another architecture"
        )
    return CommandNotExecutableError(f"{name} cannot be started: {error.strerror}")
