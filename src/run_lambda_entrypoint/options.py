"""The command line and the variables that set options."""

from __future__ import annotations

from .errors import EntrypointError, OptionVariableError, UsageError, printable
from .log import LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, NoReturn

TIMEOUT_VARIABLE = "LAMBDA_ENV_TIMEOUT_SECONDS"
TRANSPORT_VARIABLE = "LAMBDA_ENV_TRANSPORT"
LOG_LEVEL_VARIABLE = "LAMBDA_ENV_LOG_LEVEL"
ON_OVERRIDE_VARIABLE = "LAMBDA_ENV_ON_OVERRIDE"
VARIABLES = frozenset({TIMEOUT_VARIABLE, TRANSPORT_VARIABLE, LOG_LEVEL_VARIABLE, ON_OVERRIDE_VARIABLE})
TRANSPORTS = ("auto", "direct", "botocore")
ON_OVERRIDE = ALLOW, WARN, DENY = ("allow", "warn", "deny")
FORMATS = ("text", "json")
# Lambda's init phase ends at 10 s; what is left is for the runtime client's own start.
DEFAULT_TIMEOUT = "8"
LONGEST_TIMEOUT = 900.0

_WITH_VALUE = frozenset({"--format", "--log-level", "--rie-path", "--timeout"})


class Options:
    """What the user asked for. `timeout` is in seconds, `transport` one of TRANSPORTS, `on_override` one of
    ON_OVERRIDE, `log_level` one of LEVELS, `dry_run` one of FORMATS or "". `command` may be empty in a dry run only."""

    __slots__ = ("command", "dry_run", "log_level", "on_override", "rie_path", "timeout", "transport")

    rie_path: str | None
    timeout: float
    transport: str
    on_override: str
    log_level: str
    dry_run: str
    command: list[str]


def parse(words: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Options from the command line's `words` (without the program's name) and the environment.

    Raises UsageError for the command line, OptionVariableError for a variable, SystemExit after --help and --version.
    """
    ours, command = _split(words)
    plain = _plain(ours)
    given = _parse(ours) if plain is None else plain

    def value(option: str, variable: str, default: str) -> tuple[str, Callable[[str], EntrypointError]]:
        """The text of an option, which beats its variable, and how to refuse it."""
        text = given.get(_attribute(option))
        if text is not None:
            return text, lambda form: UsageError(f'{option} is "{printable(text, 80)}"; it takes {form}')
        text = environ.get(variable, "").strip() or default
        return text, lambda form: OptionVariableError(
            f'{variable} is "{printable(text, 80)}"; it takes {form}'
        )

    asked = Options()
    asked.command = command
    asked.rie_path = given.get("rie_path")
    asked.timeout = _seconds(*value("--timeout", TIMEOUT_VARIABLE, DEFAULT_TIMEOUT))
    asked.transport = _one_of(TRANSPORTS, *value("", TRANSPORT_VARIABLE, TRANSPORTS[0]))
    asked.on_override = _one_of(ON_OVERRIDE, *value("", ON_OVERRIDE_VARIABLE, ALLOW))
    asked.log_level = _one_of(LEVELS, *value("--log-level", LOG_LEVEL_VARIABLE, "info"))
    asked.dry_run = _one_of(FORMATS, *value("--format", "", FORMATS[0])) if given.get("dry_run") else ""
    if asked.rie_path == "" and not environ.get("AWS_LAMBDA_RUNTIME_API"):
        raise UsageError("--rie-path is empty; it takes the path of the Runtime Interface Emulator")
    if given.get("format") is not None and not asked.dry_run:
        raise UsageError("--format goes with --dry-run only")
    if not command and not asked.dry_run:
        raise UsageError("no command to start; write it behind the options, after --, and see --help")
    return asked


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


def _plain(words: list[str]) -> dict[str, Any] | None:
    """The options if all are pairs of a known option and a value, as in any Dockerfile; None for argparse to judge,
    which it takes 6 ms to import."""
    names, values = words[::2], words[1::2]
    plain = len(names) == len(values) and _WITH_VALUE.issuperset(names)
    if not plain or any(value.startswith("-") for value in values):
        return None
    return {_attribute(name): value for name, value in zip(names, values, strict=True)}


def _attribute(option: str) -> str:
    return option.strip("-").replace("-", "_")


def _parse(words: list[str]) -> dict[str, Any]:
    from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter

    from . import __build__, __version__

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
        "--dry-run",
        action="store_true",
        help="do all but start COMMAND (which may be left out): print what would be set, by names, and started",
    )
    parser.add_argument("--format", metavar="FORMAT", help="of the dry run's output: text (a table) or json")
    parser.add_argument(
        "--log-level",
        metavar="LEVEL",
        help=f"{', '.join(LEVELS)}: what is told on standard error, info by default (or {LOG_LEVEL_VARIABLE})",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"%(prog)s {__version__} ({__build__})",
        help="print version and commit",
    )
    parser.add_argument("-h", "--help", action="help", default=SUPPRESS, help="print this help")
    return vars(parser.parse_args(words))


_DESCRIPTION = """\
Puts secrets of AWS Secrets Manager into the environment, then becomes COMMAND.
Variables tell which, applied in this order (a later one overrides an earlier
one and the function's own; of one kind, in byte order of their names):

  SECRETS_MANAGER_ARN               each key of the secret becomes a variable
  LAMBDA_ENV_SSM_PATH_*             each SSM parameter below this path
  LAMBDA_ENV_SECRETS_MANAGER_ARN_*  each key of the secret
  LAMBDA_ENV_VALUE_FROM_NAME        sets NAME to one value: of a secret, of one
                                    of its keys, or of an SSM parameter

A secret is ARN or NAME, then :KEY:STAGE:VERSION as in ECS, each may be empty."""

_EPILOG = f"""\
variables:
  {TIMEOUT_VARIABLE}  as --timeout, which beats it (at most {LONGEST_TIMEOUT:g})
  {LOG_LEVEL_VARIABLE}        as --log-level, which beats it
  {ON_OVERRIDE_VARIABLE}      {", ".join(ON_OVERRIDE)}: where a secret would override
                              a variable ({ALLOW})
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
