"""The settings: command-line options, and the variables for some of them."""

from __future__ import annotations

from . import reporting
from .errors import INVALID_ARGUMENTS, INVALID_SETTING, EntrypointError
from .record import Record
from .references import FORMS, MODIFIERS
from .text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, NoReturn

MAX_TIMEOUT = 900.0  # seconds


class Options(Record):
    """What the user asked for. `timeout` is in seconds; `command` may be empty in a dry run only."""

    rie_path: str
    timeout: float
    log_level: str
    on_override: str
    transport: str
    exec_wrapper: str
    init_error: str
    dry_run: bool
    format: str
    command: Sequence[str]


class Setting(Record):
    """A field of Options: its option and its variable, either of which may be "", and its default.

    `check` makes the field's value of a text, or raises ValueError with what was expected. Without a `metavar` the
    option is a flag.
    """

    field: str
    help: str
    check: Callable[[str], str | float | bool]
    default: str | float | bool
    option: str = ""
    variable: str = ""
    metavar: str = ""


def _path(text: str) -> str:
    if not text:
        raise ValueError("the path of the Runtime Interface Emulator")
    return text


def _absolute(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("an absolute path")
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MAX_TIMEOUT:
        raise ValueError(f"a number of seconds greater than 0 and at most {MAX_TIMEOUT:g}")
    return seconds


def _one_of(*choices: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return text.lower()

    return check


SETTINGS = (
    Setting(
        "rie_path",
        "outside Lambda, start COMMAND in the Runtime Interface Emulator at PATH; ignored in Lambda",
        check=_path,
        default="",
        option="--rie-path",
        metavar="PATH",
    ),
    Setting(
        "timeout",
        f"deadline for fetching all secrets, at most {MAX_TIMEOUT:g}",
        check=_seconds,
        default=8.0,  # Lambda's init phase ends at 10 s; the rest is for the runtime client's own start
        option="--timeout",
        variable="LAMBDA_ENV_TIMEOUT_SECONDS",
        metavar="SECONDS",
    ),
    Setting(
        "log_level",
        "verbosity on standard error: debug, info, warning or error",
        check=_one_of("debug", "info", "warning", "error"),
        default="warning",
        option="--log-level",
        variable="LAMBDA_ENV_LOG_LEVEL",
        metavar="LEVEL",
    ),
    Setting(
        "on_override",
        "when a secret would override a variable: allow, warn, deny, or keep the function's own",
        check=_one_of("allow", "warn", "deny", "keep"),
        default="allow",
        variable="LAMBDA_ENV_ON_OVERRIDE",
    ),
    Setting(
        "transport",
        "HTTP client for AWS calls: auto, direct or botocore",
        check=_one_of("auto", "direct", "botocore"),
        default="auto",
        variable="LAMBDA_ENV_TRANSPORT",
    ),
    Setting(
        "exec_wrapper",
        "absolute path of a wrapper to start COMMAND with: WRAPPER COMMAND ARGUMENT...",
        check=_absolute,
        default="",
        variable="LAMBDA_ENV_EXEC_WRAPPER",
    ),
    Setting(
        "init_error",
        "what a failed init tells its callers: full (the report, with names of secrets), or type (the errorType)",
        check=_one_of("full", "type"),
        default="full",
        variable="LAMBDA_ENV_INIT_ERROR",
    ),
    Setting(
        "dry_run",
        "do everything except start COMMAND, which may be left out, and list what would be set (names only)",
        check=bool,
        default=False,
        option="--dry-run",
    ),
    Setting(
        "format",
        "format of the dry run's output: text (a table) or json",
        check=_one_of("text", "json"),
        default="text",
        option="--format",
        metavar="FORMAT",
    ),
)
VARIABLES = frozenset(setting.variable for setting in SETTINGS if setting.variable)
_WITH_VALUE = {setting.option: setting.field for setting in SETTINGS if setting.option and setting.metavar}


def parse(argv: Sequence[str], environ: Mapping[str, str], *, in_lambda: bool) -> Options:
    """Options from the command line without the program's name, and from the environment.

    Raises EntrypointError; SystemExit after --help, --version and --licenses.
    """
    words, command = _split(argv)
    given = _pairs(words)
    if given is None:
        given = _argparse(words)
    if in_lambda:
        given.pop("rie_path", None)
    options: Any = {setting.field: _value(setting, given, environ) for setting in SETTINGS}
    if "format" in given and not options["dry_run"]:
        raise EntrypointError(INVALID_ARGUMENTS, "--format requires --dry-run")
    if not command and not options["dry_run"]:
        raise EntrypointError(
            INVALID_ARGUMENTS, "no command given; usage: run-lambda-entrypoint [OPTION...] -- COMMAND; see --help"
        )
    return Options(command=command, **options)


def tells_callers(environ: Mapping[str, str]) -> bool:
    """Whether the caller of a failed init gets the report. This holds for settings that are not valid, too, and a value
    of this one that is not valid was hardly meant to say "full"."""
    return environ.get("LAMBDA_ENV_INIT_ERROR", "").strip().lower() in ("", "full")


def _value(setting: Setting, given: Mapping[str, str], environ: Mapping[str, str]) -> str | float | bool:
    """The value of the option, which takes precedence over the variable, or the default."""
    text, kind, name = given.get(setting.field), INVALID_ARGUMENTS, setting.option
    if text is None:
        text, kind, name = environ.get(setting.variable, "").strip(), INVALID_SETTING, setting.variable
        if not text:
            return setting.default
    try:
        return setting.check(text)
    except ValueError as error:
        message = f'{name} is "{printable(text, 80)}"; must be {error}' if text else f"{name} is empty; must be {error}"
        raise EntrypointError(kind, message) from None


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our options and the command. Not argparse: it also takes options from after the command, and which `--` it drops
    depends on Python's version."""
    index = 0
    while index < len(argv):
        word = argv[index]
        if word == "--":
            return list(argv[:index]), list(argv[index + 1 :])
        if not word.startswith("-") or word == "-":
            break
        index += 2 if word in _WITH_VALUE else 1
    return list(argv[:index]), list(argv[index:])


def _pairs(words: list[str]) -> dict[str, str] | None:
    """Values by field if `words` are pairs of option and value, as in any Dockerfile; None if argparse must judge."""
    options, values = words[::2], words[1::2]
    if len(options) != len(values) or not _WITH_VALUE.keys() >= set(options):
        return None
    if any(value.startswith("-") for value in values):
        return None
    return {_WITH_VALUE[option]: value for option, value in zip(options, values, strict=True)}


def _argparse(words: list[str]) -> dict[str, str]:
    # Saves 6 ms on every start whose options are pairs, or none.
    from argparse import SUPPRESS, Action, ArgumentParser, RawDescriptionHelpFormatter  # noqa: PLC0415

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise EntrypointError(INVALID_ARGUMENTS, f"{printable(message)}; see --help")

    class Show(Action):
        """Prints what `const` returns, and ends."""

        def __call__(self, parser: ArgumentParser, *_: object) -> None:
            reporting.standard_output.write(self.const())
            parser.exit()

    parser = Parser(
        prog="run-lambda-entrypoint",
        usage="run-lambda-entrypoint [OPTION...] [--] COMMAND [ARGUMENT...]",
        description=_description(),
        epilog=_epilog(),
        formatter_class=RawDescriptionHelpFormatter,
        argument_default=SUPPRESS,
        allow_abbrev=False,
        add_help=False,
    )
    for setting in SETTINGS:
        if setting.metavar:
            parser.add_argument(setting.option, metavar=setting.metavar, help=_help(setting))
        elif setting.option:
            parser.add_argument(setting.option, action="store_const", const="yes", help=setting.help)
    for names, what, show in (
        (["--version"], "version, commit, interpreter and OpenSSL", lambda: reporting.version.text()),
        (["--licenses"], "the licenses of everything inside", lambda: reporting.licenses.text()),
        (["-h", "--help"], "this help", parser.format_help),
    ):
        parser.add_argument(*names, nargs=0, action=Show, const=show, help=f"print {what}")
    return vars(parser.parse_args(words))


def _help(setting: Setting) -> str:
    default = f"{setting.default:g}" if isinstance(setting.default, float) else setting.default
    return f"{setting.help} (default: {default})" if default else setting.help


def _description() -> str:
    forms = "\n".join(f"  {form.shown:<34}{form.help}" for form in FORMS)
    return f"""\
Loads secrets from AWS Secrets Manager and Systems Manager Parameter Store into
the environment, then executes COMMAND.

These environment variables select the secrets. They apply in this order; a
later one overrides an earlier one and the variables that the function already
has. Variables of one kind apply in byte order of their names.

{forms}

A secret is its ARN or name, optionally followed by :KEY:STAGE:VERSION as in ECS
task definitions; each of these may be empty."""


def _epilog() -> str:
    # Part of the 6 ms that argparse takes: needed with it only.
    from textwrap import fill  # noqa: PLC0415

    lines = [
        fill(
            f"same as {setting.option}" if setting.option else _help(setting),
            width=80,
            initial_indent=f"  {setting.variable:<28}",
            subsequent_indent=" " * 30,
        )
        for setting in SETTINGS
        if setting.variable
    ]
    lines += [
        fill(form.help, width=80, initial_indent=f"  {form.shown:<28}", subsequent_indent=" " * 30)
        for form in MODIFIERS
    ]
    return "\n".join(["environment variables (options take precedence over them):", *lines, "", _EXIT_CODES])


_EXIT_CODES = """\
exit codes: 2 invalid arguments; 125 a secret could not be loaded, or another
failure of this program; 126 COMMAND (or the wrapper) cannot be executed; 127 it
was not found; 130, 143 interrupted; otherwise COMMAND's own."""
