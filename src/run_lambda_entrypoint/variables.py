"""What may be a variable of the command: names, values, limits."""

from __future__ import annotations

from .errors import INVALID_SECRET, EntrypointError
from .record import Record
from .text import listed, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# What Lambda itself tells the process about the runtime: "Defined runtime environment variables" in the AWS Lambda
# developer guide. A secret that sets one of these would mislead the runtime client.
RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
RESERVED_PREFIX = "AWS_LAMBDA_FUNCTION_"

# Ours that say what is made of the values.
PREFIX_VARIABLE = "LAMBDA_ENV_PREFIX"
NAMES_VARIABLE = "LAMBDA_ENV_NAMES"
TEMPLATE_PREFIX = "LAMBDA_ENV_TEMPLATE_"
REQUIRED_VARIABLE = "LAMBDA_ENV_REQUIRED"

# Loaded with a warning: people do keep these in a secret for the function's use, but it then suddenly talks to AWS as
# someone else, or somewhere else. This program never uses them.
AWS_IDENTITY = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_TOKEN",
    }
)

SURROGATE = "the name or value contains a lone surrogate, which is not a valid character; store it as valid Unicode"

# MAX_ARG_STRLEN in Linux's binfmts.h: 32 pages of 4 KiB for "name=value" and the NUL after it.
MAX_ENTRY_SIZE = 131_072


class Value(Record):
    """A variable's value, and the secret or parameter, in which version and Region, that it was read from."""

    text: str
    source: str
    version: str
    region: str


def is_prefix(variable: str) -> bool:
    """Whether this variable holds a prefix for what a reference sets."""
    return variable == PREFIX_VARIABLE or variable.startswith(f"{PREFIX_VARIABLE}_")


def is_reserved(name: str) -> bool:
    """Whether Lambda describes the runtime to the process by this name."""
    return name in RESERVED or name.startswith(RESERVED_PREFIX)


def target_problem(prefix: str, name: str) -> str:
    """Why the variable PREFIX + NAME cannot set `name`, or nothing."""
    if not name:
        return f"does not name the variable to set; expected {prefix}NAME"
    if is_reserved(name):
        return f"would set {printable(name)}, which Lambda reserves to describe the runtime; use another name"
    return ""


def check(texts: Mapping[str, str | None], noun: str = "key") -> dict[str, str]:
    """Those of `texts`, by name, that have a value, if all of them can be variables; `noun` says what the names are.

    Raises EntrypointError with all that is wrong in one message; it has names, never values.
    """
    problems: dict[str, list[str]] = {}
    for name, text in texts.items():
        if problem := _problem(name, text or ""):
            problems.setdefault(problem, []).append(quoted(name))
    if problems:
        several = (
            f"{noun if len(names) == 1 else noun + 's'} {listed(names, ', ')}: {problem}"
            for problem, names in problems.items()
        )
        raise EntrypointError(INVALID_SECRET, listed(several))
    return {name: text for name, text in texts.items() if text is not None}


def base64(value: str | bytes) -> str:
    """The base64 of a value: of text, its UTF-8. Raises EntrypointError."""
    # Not the module base64, which imports re.
    from binascii import b2a_base64  # noqa: PLC0415

    try:
        raw = value.encode() if isinstance(value, str) else value
    except UnicodeEncodeError:
        raise EntrypointError(INVALID_SECRET, SURROGATE) from None
    return b2a_base64(raw, newline=False).decode()


def quoted(name: str) -> str:
    """A name as reports show it."""
    return f'"{printable(name, 80)}"'


def _problem(name: str, text: str) -> str:
    """Why this variable cannot be set, or nothing."""
    if not name:
        return "a variable name must not be empty"
    if "=" in name or "\0" in name:
        return "a variable name must not contain '=' or NUL"
    if is_reserved(name):
        return "Lambda reserves this name to describe the runtime; rename it"
    if "\0" in text:
        return "the value contains NUL, which no variable can hold; encode it (for example, as base64)"
    try:
        size = len(f"{name}={text}".encode()) + 1
    except UnicodeEncodeError:
        return SURROGATE
    return size_problem(size)


def size_problem(size: int) -> str:
    """Why no variable can take `size` bytes, its name, "=" and the NUL behind it included; or nothing."""
    if size > MAX_ENTRY_SIZE:
        return f"the variable would take {size:,} bytes, more than Linux's limit of {MAX_ENTRY_SIZE:,}; split the value"
    return ""
