"""From the text of a secret, a JSON object, to names and texts."""

from __future__ import annotations

from .. import reporting
from ..errors import INVALID_SECRET, EntrypointError
from ..native import JsonError, json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BYTE_ORDER_MARK = "\ufeff"


def texts(secret: str) -> dict[str, str | None]:
    """The text of each key's value, None for null. Raises EntrypointError, which never shows a value."""
    return {key: _render(value) for key, value in _parse(secret).items()}


def text(secret: str, key: str, *, nested: bool) -> str:
    """The text of one key's value; with `nested` "a.b" is b in a, unless there is a key of that name.

    Raises EntrypointError, which lists the keys of the object that lacks one.
    """
    document = _parse(secret)
    value: Any = document
    parts = [key] if key in document or not nested else key.split(".")
    for part in parts:
        value = value.get(part) if isinstance(value, dict) else None
    rendered = _render(value)
    if rendered is None:
        raise EntrypointError(INVALID_SECRET, reporting.json_errors.missing_key(document, parts))
    return rendered


def _parse(secret: str) -> dict[str, Any]:
    # Editors on Windows begin a file with the mark; JSON's own parsers refuse or drop it (RFC 8259, 8.1).
    text = secret.removeprefix(BYTE_ORDER_MARK)
    try:
        document = json.loads(text, json.Number)
    except RecursionError:
        raise EntrypointError(
            INVALID_SECRET, f"the secret's JSON is nested more than {json.MAX_DEPTH} levels deep; flatten it"
        ) from None
    except JsonError as error:
        raise EntrypointError(INVALID_SECRET, reporting.json_errors.not_json(text, error)) from None
    if not isinstance(document, dict):
        raise EntrypointError(INVALID_SECRET, reporting.json_errors.not_an_object(document))
    return document


def _render(value: Any) -> str | None:
    """A value as a variable holds it: a string as is, null not at all, anything else as compact JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.compact(value)
