"""The wrapped command: look it up, put wrapper and emulator in front where requested, become it."""

from __future__ import annotations

import errno
import posix

from . import environment
from .errors import COMMAND_NOT_EXECUTABLE, COMMAND_NOT_FOUND, INVALID_SETTING, EntrypointError
from .native import paths
from .record import Record
from .text import encode, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

    from .environment import Merged
else:
    import _signal as signal  # signal.py makes enums of it: 0.6 ms

# The levels that the emulator accepts (logrus.ParseLevel); anything else is fatal to it.
EMULATOR_LEVELS = frozenset({"panic", "fatal", "error", "warn", "warning", "info", "debug", "trace"})
WRAPPER = "wrapper (LAMBDA_ENV_EXEC_WRAPPER)"
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
RESET = (*IGNORED_BY_PYTHON, signal.SIGINT, signal.SIGTERM)


class Command(Record):
    """The file to execute and its whole argv; both are empty in a dry run without a command."""

    file: str
    argv: Sequence[str]
    in_emulator: bool


def resolve(
    words: Sequence[str], wrapper: str, emulator: str, environ: Mapping[str, str], program: str = ""
) -> Command:
    """Looks the command up. Where `wrapper` is an absolute path, that is executed with the command as its arguments;
    where `emulator` is the path of the Runtime Interface Emulator, that is, with all of it. `program` is what this one
    was started as.

    Raises EntrypointError.
    """
    path = environ.get("PATH")
    if wrapper:
        _check_wrapper(wrapper, program)
    if not words:
        return Command("", (), False)
    file = find(words[0], path)
    if not wrapper and not emulator:
        return Command(file, words, False)
    # The file instead of the word, which wrapper and emulator would look up in a PATH that a secret may set.
    argv = [file, *words[1:]]
    if wrapper:
        argv = [wrapper, *argv]
    if not emulator:
        return Command(wrapper, argv, False)
    # LOG_LEVEL from before the secrets, as the emulator's first argument, takes precedence over the variable: a secret
    # called LOG_LEVEL must not change (or, if unknown, end) the emulator. No `--` before the command: the emulator
    # would run it.
    level = environ.get("LOG_LEVEL", "").lower()
    flags = ["--log-level", level if level in EMULATOR_LEVELS else "info"]
    return Command(find(emulator, path, "emulator (--rie-path)"), [emulator, *flags, *argv], True)


def _check_wrapper(wrapper: str, program: str) -> None:
    find(wrapper, None, WRAPPER)
    archive, _, _, _ = __file__.rsplit("/", 3)  # of an installed package, a folder: there it is `program`
    if any(paths.same_file(encode(wrapper), encode(own)) for own in (archive, program)):
        raise EntrypointError(
            INVALID_SETTING,
            f'LAMBDA_ENV_EXEC_WRAPPER is "{printable(wrapper)}", which is run-lambda-entrypoint itself: it would start '
            "itself forever; set it to the wrapper that starts the command after this program, or remove it",
        )


def find(word: str, path: str | None, role: str = "command") -> str:
    """The file that execvp would execute for `word`; `path` is the value of PATH, None if that is not set.

    Raises EntrypointError.
    """
    refused = ""
    for candidate in _candidates(word, path):
        problem = _problem(candidate, from_path="/" not in word)
        if problem is None:
            return candidate
        refused = refused or problem
    if refused:
        raise EntrypointError(COMMAND_NOT_EXECUTABLE, f"{role}: {refused}")
    if "/" in word:
        raise EntrypointError(
            COMMAND_NOT_FOUND,
            f'{role} "{printable(word)}" does not exist; '
            f"{'add the layer that contains it' if role == WRAPPER else 'copy it into the image'}, or correct its path",
        )
    where = "PATH is not set" if path is None else f"PATH is {printable(path)}"
    raise EntrypointError(
        COMMAND_NOT_FOUND, f'{role} "{printable(word)}" was not found ({where}); use its absolute path'
    )


def _candidates(word: str, path: str | None) -> list[str]:
    if "/" in word:
        return [word]
    # An empty entry means the working directory.
    return [f"{folder or '.'}/{word}" for folder in (paths.DEFAULT_PATH if path is None else path).split(":")]


def _problem(candidate: str, *, from_path: bool) -> str | None:
    """Why this file cannot be executed; "" if there is none such, None if it can."""
    if paths.is_file(encode(candidate)):
        if posix.access(encode(candidate), posix.X_OK):
            return None
        return f"{printable(candidate)} is not executable by this user; run chmod 0755 on it in the image"
    if from_path or not paths.exists(encode(candidate)):
        return ""
    return f"{printable(candidate)} is not a regular file"


def become(command: Command, merged: Merged) -> NoReturn:
    """Executes the command, with the process state that it would have had without us. Raises EntrypointError."""
    # CPython ignores these at its start, and exec passes that on. Whether they were ignored before can no longer be
    # known. Handlers of ours become the default by themselves, but a signal that came in before would be lost:
    # signal.signal runs its handler first.
    argv, environ = list(map(encode, command.argv)), environment.encoded(merged.environ)
    handlers = {number: signal.getsignal(number) for number in RESET}
    for number, handler in handlers.items():
        if handler != signal.SIG_IGN or number in IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
    try:
        posix.execve(encode(command.file), argv, environ)
    except OSError as error:
        raise refused(command.file, error, merged) from None
    finally:  # the report is still to be written, maybe to nobody
        for number, handler in handlers.items():
            signal.signal(number, handler)


def refused(file: str, error: OSError, merged: Merged) -> EntrypointError:
    """What it means that the kernel did not execute `file`."""
    name = printable(file)
    if error.errno == errno.E2BIG:
        return environment.too_large(merged)
    if error.errno == errno.ENOENT:
        if paths.exists(encode(file)):
            return EntrypointError(
                COMMAND_NOT_FOUND,
                f"{name} exists, but its interpreter does not: the program that its shebang line (#!) or ELF header "
                "names is not in this image",
            )
        return EntrypointError(COMMAND_NOT_FOUND, f"{name} was not found")
    if error.errno == errno.ENOEXEC:
        return EntrypointError(
            COMMAND_NOT_EXECUTABLE,
            f"{name} is not in a format that the kernel can execute (Exec format error): a script without a shebang "
            "line (#!), or a program for another architecture",
        )
    return EntrypointError(COMMAND_NOT_EXECUTABLE, f"{name} cannot be executed: {error.strerror}")
