"""The command line and the variables that set options."""

from __future__ import annotations

from .errors import EntrypointError, OptionVariableError, UsageError, printable
from .log import LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

TIMEOUT_VARIABLE = "LAMBDA_ENV_TIMEOUT_SECONDS"
TRANSPORT_VARIABLE = "LAMBDA_ENV_TRANSPORT"
LOG_LEVEL_VARIABLE = "LAMBDA_ENV_LOG_LEVEL"
VARIABLES = frozenset({TIMEOUT_VARIABLE, TRANSPORT_VARIABLE, LOG_LEVEL_VARIABLE})
TRANSPORTS = ("auto", "direct", "botocore")
# Lambda's init phase ends at 10 s; what is left is for the runtime client's own start.
DEFAULT_TIMEOUT = "8"
LONGEST_TIMEOUT = 900.0

_WITH_VALUE = frozenset({"--log-level", "--rie-path", "--timeout"})


class Options:
    """What the user asked for. `timeout` is in seconds, `transport` one of TRANSPORTS, `log_level` one of LEVELS;
    `command` is never empty."""

    __slots__ = ("command", "log_level", "rie_path", "timeout", "transport")

    def __init__(
        self, rie_path: str | None, timeout: float, transport: str, log_level: str, command: list[str]
    ) -> None:
        self.rie_path = rie_path
        self.timeout = timeout
        self.transport = transport
        self.log_level = log_level
        self.command = command


def parse(words: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Options from the command line's `words` (without the program's name) and the environment.

    Raises UsageError for the command line, OptionVariableError for a variable, SystemExit after --help and --version.
    """
    ours, command = _split(words)
    given = _parse(ours) if ours else {}
    rie_path = given.get("rie_path")
    if rie_path == "":
        raise UsageError("--rie-path is empty; it takes the path of the Runtime Interface Emulator")
    if not command:
        raise UsageError("no command to start; write it behind the options, after --, and see --help")

    def value(option: str, variable: str, default: str) -> tuple[str, Callable[[str], EntrypointError]]:
        """The text of an option, which beats its variable, and how to refuse it."""
        text = given.get(option.strip("-").replace("-", "_"))
        if text is not None:
            return text, lambda form: UsageError(f'{option} is "{printable(text, 80)}"; it takes {form}')
        text = environ.get(variable, "").strip() or default
        return text, lambda form: OptionVariableError(
            f'{variable} is "{printable(text, 80)}"; it takes {form}'
        )

    return Options(
        rie_path,
        _seconds(*value("--timeout", TIMEOUT_VARIABLE, DEFAULT_TIMEOUT)),
        _one_of(TRANSPORTS, *value("", TRANSPORT_VARIABLE, TRANSPORTS[0])),
        _one_of(LEVELS, *value("--log-level", LOG_LEVEL_VARIABLE, "info")),
        command,
    )


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


def _parse(words: list[str]) -> dict[str, str | None]:
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
        help=f"time for fetching all secrets, {DEFAULT_TIMEOUT} by default (or {TIMEOUT_VARIABLE})",
    )
    parser.add_argument(
        "--log-level",
        metavar="LEVEL",
        help=f"{', '.join(LEVELS)}: what is told on standard error, info by default (or {LOG_LEVEL_VARIABLE})",
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {__version__}", help="print the version"
    )
    parser.add_argument("-h", "--help", action="help", default=SUPPRESS, help="print this help")
    return vars(parser.parse_args(words))


_DESCRIPTION = """\
Puts secrets of AWS Secrets Manager into the environment, then becomes COMMAND.

SECRETS_MANAGER_ARN and every LAMBDA_ENV_SECRETS_MANAGER_ARN_* name a secret, by
ARN or name, that holds a JSON object; each of its keys becomes a variable. A
later secret (in byte order of the variables' names) overrides an earlier one,
secrets override the function's own variables."""

_EPILOG = f"""\
variables:
  {TIMEOUT_VARIABLE}  as --timeout, which beats it (at most {LONGEST_TIMEOUT:g})
  {LOG_LEVEL_VARIABLE}        as --log-level, which beats it
  {TRANSPORT_VARIABLE}        {", ".join(TRANSPORTS)}: who talks to AWS (auto)

exit codes: 2 wrong arguments, 125 no secrets or another failure of this
program, 126 COMMAND cannot be executed, 127 COMMAND not found, 130 and 143
interrupted; else COMMAND's own."""


def _seconds(text: str, refusal: Callable[[str], EntrypointError]) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise refusal(f"a number of seconds above 0 and at most {LONGEST_TIMEOUT:g}")
    return seconds


def _one_of(words: Sequence[str], text: str, refusal: Callable[[str], EntrypointError]) -> str:
    if text.lower() not in words:
        raise refusal(f"one of {', '.join(words)}")
    return text.lower()
