"""The command line and the variables that set options."""

from __future__ import annotations

from .errors import EntrypointError, OptionVariableError, UsageError, printable

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
    if rie_path == "":
        raise UsageError("--rie-path is empty; it takes the path of the Runtime Interface Emulator")
    if not command:
        raise UsageError("no command to start; write it behind the options, after --, and see --help")
    if timeout is not None:
        seconds = _seconds(timeout, "--timeout", UsageError)
    else:
        text = environ.get(TIMEOUT_VARIABLE, "").strip()
        seconds = _seconds(text, TIMEOUT_VARIABLE, OptionVariableError) if text else DEFAULT_TIMEOUT
    return Options(rie_path, seconds, _transport(environ), command)


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


def _parse(words: list[str]) -> tuple[str | None, str | None]:
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
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument(
        "--rie-path",
        metavar="PATH",
        help="outside Lambda, start COMMAND in the Runtime Interface Emulator found at PATH; in Lambda, ignored",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
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

_EPILOG = f"""\
variables:
  {TIMEOUT_VARIABLE}  as --timeout, which beats it (at most {LONGEST_TIMEOUT:g})
  {TRANSPORT_VARIABLE}        {", ".join(TRANSPORTS)}: who talks to AWS (auto)

exit codes: 2 wrong arguments, 125 no secrets or another failure of this
program, 126 COMMAND cannot be executed, 127 COMMAND not found, 130 and 143
interrupted; else COMMAND's own."""


def _seconds(text: str, source: str, error: type[EntrypointError]) -> float:
    """A time limit, from the option or variable `source`."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_TIMEOUT:
        limits = f"above 0 and at most {LONGEST_TIMEOUT:g}"
        raise error(f'{source} is "{printable(text, 80)}"; it takes a number of seconds {limits}')
    return seconds


def _transport(environ: Mapping[str, str]) -> str:
    text = environ.get(TRANSPORT_VARIABLE, "").strip() or TRANSPORTS[0]
    if text not in TRANSPORTS:
        choice = ", ".join(TRANSPORTS)
        raise OptionVariableError(
            f'{TRANSPORT_VARIABLE} is "{printable(text, 80)}"; it takes one of {choice}'
        )
    return text
