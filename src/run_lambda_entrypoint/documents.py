"""From the text of a secret to the variables that it sets."""

from __future__ import annotations

import json

from .errors import DocumentError, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# MAX_ARG_STRLEN in Linux's binfmts.h: 32 pages of 4 KiB for "name=value" and the NUL behind it.
ENTRY_LIMIT = 131_072

# What Lambda itself tells the process about the runtime: "Defined runtime environment variables" in the AWS Lambda
# developer guide. A secret that sets one of these would lie to the runtime client.
RESERVED = frozenset(
    {
        "_HANDLER",
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


class _Number(str):
    """The very characters of a JSON number: float() would make 1.5 of 1.50 and inf of 1e400."""

    __slots__ = ()


def variables(text: str) -> dict[str, str]:
    """The variables that a secret's text, a JSON object, sets; a key whose value is null is left out.

    Raises DocumentError, with all that is wrong in one message; it names keys, never values.
    """
    found: dict[str, str] = {}
    problems = []
    for key, value in _parse(text).items():
        try:
            rendered = _render(value) if value is not None else ""
        except RecursionError:
            problems.append(f"key {_quoted(key)}: the value is nested too deeply")
            continue
        problem = _problem(key, rendered)
        if problem:
            problems.append(f"key {_quoted(key)}: {problem}")
        elif value is not None:
            found[key] = rendered
    if problems:
        raise DocumentError("; ".join(problems))
    return found


def _parse(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=_refuse_constant)
    except RecursionError:
        raise DocumentError("the secret's JSON is nested too deeply") from None
    except ValueError as error:
        # JSONDecodeError keeps the whole document as an attribute: drop it, tell only what and where.
        at = (
            f" at line {error.lineno}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        raise DocumentError(
            f'the secret is not JSON (fault{at}); store an object like {{"NAME": "value"}}'
        ) from None
    if not isinstance(document, dict):
        raise DocumentError(
            f'the secret is JSON but {_kind(document)}; store an object like {{"NAME": "value"}}'
        )
    return document


def _refuse_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are Python's, not JSON's")


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, _Number):
        return "a number"
    return "a string" if isinstance(value, str) else "an array"


def _render(value: Any) -> str:
    """A value as a variable holds it: a string as is, anything else as compact JSON."""
    return value if isinstance(value, str) else _compact(value)


def _compact(value: Any) -> str:
    # json.dumps would quote a _Number, or change the characters of a real number.
    if isinstance(value, _Number):
        return value
    if isinstance(value, list):
        return "[" + ",".join(map(_compact, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_compact(k)}:{_compact(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def _problem(key: str, value: str) -> str:
    """Why this variable cannot be set, or nothing."""
    if not key:
        return "an empty key cannot name a variable"
    if "=" in key or "\0" in key:
        return "a variable's name cannot hold '=' or NUL"
    if key in RESERVED or key.startswith(RESERVED_PREFIX):
        return "Lambda reserves this name to describe the runtime; rename the key"
    if "\0" in value:
        return "the value holds NUL, which no variable can; encode it (base64, say)"
    try:
        size = len(f"{key}={value}".encode()) + 1
    except UnicodeEncodeError:
        return "key or value holds a lone surrogate, which is no character; store the text as valid Unicode"
    if size > ENTRY_LIMIT:
        return f"the variable would take {size:,} bytes, over Linux's {ENTRY_LIMIT:,}; split the value"
    return ""


def _quoted(key: str) -> str:
    return f'"{printable(key, 80)}"'
