"""From the text of a secret to the variables that it sets."""

from __future__ import annotations

import json

from .errors import DocumentError, printable
from .reserved import reserved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# MAX_ARG_STRLEN in Linux's binfmts.h: 32 pages of 4 KiB for "name=value" and the NUL behind it.
ENTRY_LIMIT = 131_072


class _Number(str):
    """The very characters of a JSON number: float() would make 1.5 of 1.50 and inf of 1e400."""

    __slots__ = ()


def variables(text: str) -> dict[str, str]:
    """The variables that a secret's text, a JSON object, sets; a key whose value is null is left out.

    Raises DocumentError, with all that is wrong in one message; it names keys, never values.
    """
    return checked({key: _render(value) for key, value in _parse(text).items()})


def value(text: str, key: str, *, nested: bool = False) -> str:
    """The value of one key of a secret's text, a JSON object; with `nested` "a.b" is b in a, if no key is called so.

    Raises DocumentError, which lists the keys that there are.
    """
    document = _parse(text)
    found: Any = document
    for part in [key] if key in document or not nested else key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if found is None:
        keys = ", ".join(map(_quoted, document)) or "none"
        raise DocumentError(
            f"key {_quoted(key)} is not there, or null; the secret's keys are: {printable(keys)}"
        )
    return _render(found) or ""


def checked(found: Mapping[str, str | None]) -> dict[str, str]:
    """Those of `found` that have a value, if all can be variables. Raises DocumentError, with all that is wrong."""
    problems = [
        f"key {_quoted(key)}: {problem}"
        for key, value in found.items()
        if (problem := _problem(key, value or ""))
    ]
    if problems:
        raise DocumentError("; ".join(problems))
    return {key: value for key, value in found.items() if value is not None}


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


def _render(value: Any) -> str | None:
    """A value as a variable holds it: a string as is, null not at all, anything else as compact JSON."""
    if value is None or isinstance(value, str):
        return value
    try:
        return _compact(value)
    except RecursionError:
        raise DocumentError("the secret's JSON is nested too deeply") from None


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
    if reserved(key):
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
