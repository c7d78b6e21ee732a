"""The command line and the variables that set options."""

from __future__ import annotations

from .errors import OptionVariableError, UsageError, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

TIMEOUT_VARIABLE = "LAMBDA_ENV_TIMEOUT_SECONDS"
TRANSPORT_VARIABLE = "LAMBDA_ENV_TRANSPORT"
VARIABLES = frozenset({TIMEOUT_VARIABLE, TRANSPORT_VARIABLE})
TRANSPORTS = ("auto", "direct", "botocore")
# Lambda's init phase ends at 10 s; what is left is for the runtime client's own start.
DEFAULT_TIMEOUT = 8.0
LONGEST_TIMEOUT = 900.0

_WITH_VALUE = frozenset({"--rie-path", "--timeout"})


class Options:
    """What the user asked for. `timeout` is in seconds, `transport` one of TRANSPORTS; `command` is never empty."""

    __slots__ = ("command", "rie_path", "timeout", "transport")

    def __init__(self, rie_path: str | None, timeout: float, transport: str, command: list[str]) -> None:
        self.rie_path = rie_path
        self.timeout = timeout
        self.transport = transport
        self.command = command


def parse(words: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Options from the command line's `words` (without the program's name) and the environment.

    Raises UsageError for the command line, OptionVariableError for a variable, SystemExit after --help and --version.
    """
    ours, command = _split(words)
    rie_path, timeout = _parse(ours) if ours else (None, None)
    if not command:
        raise UsageError("no command to start; write it behind the options, after --, and see --help")
    if timeout is None:
        timeout = _timeout_from(environ)
    return Options(rie_path, timeout, _transport_from(environ), command)


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our options and the command. argparse cannot be asked for this: it takes options out from behind the command,
    and which `--` it drops depends on Python's version."""
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            return list(words[:index]), list(words[index + 1 :])
        if not word.startswith("-") or word == "-":
            break
        index += 2 if word in _WITH_VALUE else 1
    return list(words[:index]), list(words[index:])


def _parse(words: list[str]) -> tuple[str | None, float | None]:
    # Only here: a start without options (an AWS_LAMBDA_EXEC_WRAPPER, say) need not pay 4 ms for argparse.
    from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter

    from . import __version__

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise UsageError(f"{printable(message)}; see --help")

    parser = Parser(
        prog="run-lambda-entrypoint",
        usage="run-lambda-entrypoint [OPTION...] [--] COMMAND [ARGUMENT...]",
        description=_DESCRIPTION,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument(
        "--rie-path",
        metavar="PATH",
        type=_not_empty,
        help="outside Lambda, start COMMAND in the Runtime Interface Emulator found at PATH; in Lambda, ignored",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        help=f"time for fetching all secrets, {DEFAULT_TIMEOUT:g} by default (or {TIMEOUT_VARIABLE})",
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {__version__}", help="print the version"
    )
    parser.add_argument("-h", "--help", action="help", default=SUPPRESS, help="print this help")
    parsed = parser.parse_args(words)
    return parsed.rie_path, parsed.timeout


_DESCRIPTION = """\
Puts secrets of AWS Secrets Manager into the environment, then becomes COMMAND.

SECRETS_MANAGER_ARN and every LAMBDA_ENV_SECRETS_MANAGER_ARN_* name a secret, by
ARN or name, that holds a JSON object; each of its keys becomes a variable. A
later secret (in byte order of the variables' names) overrides an earlier one,
secrets override the function's own variables."""


def _not_empty(path: str) -> str:
    if not path:
        raise ValueError
    return path


_not_empty.__name__ = "path"  # argparse shows it: "invalid path value: ''"


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise ValueError
    return seconds


_seconds.__name__ = f"number of seconds (above 0, at most {LONGEST_TIMEOUT:g})"


def _timeout_from(environ: Mapping[str, str]) -> float:
    text = environ.get(TIMEOUT_VARIABLE, "").strip()
    if not text:
        return DEFAULT_TIMEOUT
    try:
        return _seconds(text)
    except ValueError:
        raise OptionVariableError(
            f'{TIMEOUT_VARIABLE} is "{printable(text, 80)}"; it takes a number of seconds above 0 and at most '
            f"{LONGEST_TIMEOUT:g}"
        ) from None


def _transport_from(environ: Mapping[str, str]) -> str:
    text = environ.get(TRANSPORT_VARIABLE, "").strip() or TRANSPORTS[0]
    if text not in TRANSPORTS:
        raise OptionVariableError(
            f'{TRANSPORT_VARIABLE} is "{printable(text, 80)}"; it takes {", ".join(TRANSPORTS)}'
        )
    return text
