"""From the text of a secret, a JSON object, to names and texts."""

from __future__ import annotations

from ..errors import INVALID_SECRET, EntrypointError
from ..native import JsonError, json
from ..text import listed
from ..variables import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXAMPLE = 'store an object such as {"NAME": "value"}'


def texts(secret: str) -> dict[str, str | None]:
    """The text of each key's value, None for null. Raises EntrypointError, which never shows a value."""
    return {key: _render(value) for key, value in _parse(secret).items()}


def text(secret: str, key: str, *, nested: bool) -> str:
    """The text of one key's value; with `nested` "a.b" is b in a, unless there is a key of that name.

    Raises EntrypointError, which lists the secret's keys.
    """
    document = _parse(secret)
    value: Any = document
    for part in [key] if key in document or not nested else key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    rendered = _render(value)
    if rendered is None:
        keys = listed(map(quoted, document), ", ") or "none"
        raise EntrypointError(INVALID_SECRET, f"key {quoted(key)} not found or null; the secret's keys are: {keys}")
    return rendered


def _parse(secret: str) -> dict[str, Any]:
    try:
        document = json.loads(secret, json.Number)
    except RecursionError:
        raise EntrypointError(
            INVALID_SECRET, f"the secret's JSON is nested more than {json.MAX_DEPTH} levels deep; flatten it"
        ) from None
    except JsonError as error:
        where = f" (error at line {error.line}, column {error.column})" if error.line else ""
        raise EntrypointError(INVALID_SECRET, f"the secret is not valid JSON{where}; {EXAMPLE}") from None
    if not isinstance(document, dict):
        raise EntrypointError(INVALID_SECRET, f"the secret must be a JSON object, not {_kind(document)}; {EXAMPLE}")
    return document


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, json.Number):
        return "a number"
    return "a string" if isinstance(value, str) else "an array"


def _render(value: Any) -> str | None:
    """A value as a variable holds it: a string as is, null not at all, anything else as compact JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.compact(value)
