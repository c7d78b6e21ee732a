"""JSON: texts to values, values to texts."""

from __future__ import annotations

from . import KNOWN, JsonError

try:
    if not KNOWN:
        raise ImportError
    from _json import encode_basestring, encode_basestring_ascii, make_scanner

    IN_C = True
except ImportError:
    from functools import partial
    from json import dumps as encode_basestring_ascii

    encode_basestring = partial(encode_basestring_ascii, ensure_ascii=False)  # type: ignore[call-arg]

    IN_C = False

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

# Levels. Deeper texts exhaust a small stack (ulimit -s) in json, which then crashes.
MAX_DEPTH = 100
WHITE_SPACE = " \t\n\r"
CONSTANTS = {None: "null", True: "true", False: "false"}


class Number(str):
    """The very characters of a JSON number: float() would make 1.5 of 1.50 and inf of 1e400."""

    __slots__ = ()


def loads(text: str | bytes, number: type[Any] | None = None) -> Any:
    """json.loads, but NaN and Infinity are refused: they are Python's, not JSON's. With `number`, that is made of each
    number's text.

    Raises JsonError, and RecursionError for more than MAX_DEPTH arrays and objects inside each other.
    """
    if isinstance(text, bytes):
        try:  # json would take UTF-16 and UTF-32 too; between systems it is UTF-8 (RFC 8259, 8.1)
            text = text.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise JsonError(0, 0) from None
    if _is_too_deep(text):
        raise RecursionError
    if IN_C:
        try:
            start = len(text) - len(text.lstrip(WHITE_SPACE))
            value, end = make_scanner(_Scanning(number))(text, start)  # type: ignore[arg-type]
        except (ValueError, StopIteration, SystemError):
            return _judged(text, number)
        if not text[end:].strip(WHITE_SPACE):
            return value
    return _judged(text, number)


def dumps(value: Any) -> str:
    """json.dumps, of anything but floats."""
    return _dumps(value, ", ", ": ", encode_basestring_ascii)


def compact(value: Any) -> str:
    """The same without spaces, and without escapes that JSON does not require."""
    return _dumps(value, ",", ":", encode_basestring)


def _dumps(value: Any, comma: str, colon: str, quote: Callable[[str], str]) -> str:
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict):
        members = [f"{quote(key)}{colon}{_dumps(part, comma, colon, quote)}" for key, part in value.items()]
        return "{" + comma.join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + comma.join([_dumps(part, comma, colon, quote) for part in value]) + "]"
    return CONSTANTS[value] if value is None or isinstance(value, bool) else int.__repr__(value)


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for outside in text.replace("\\\\", "").replace('\\"', "").split('"')[::2]:  # of strings
        for character in outside:
            if character in "[{":
                depth += 1
                if depth > MAX_DEPTH:
                    return True
            elif character in "]}":
                depth -= 1
    return False


class _Scanning:
    """What json.JSONDecoder tells its scanner."""

    strict = True
    object_hook = object_pairs_hook = array_hook = None

    def __init__(self, number: type[Any] | None) -> None:
        self.parse_int = number or int
        self.parse_float = number or float
        self.parse_constant = _refuse


def _refuse(_: str) -> NoReturn:
    raise ValueError


def _judged(text: str, number: type[Any] | None) -> Any:
    """What json itself makes of a text. Raises JsonError."""
    # Saves 4 ms on every start whose texts are all JSON.
    import json  # noqa: PLC0415

    try:
        return json.loads(text, parse_int=number, parse_float=number, parse_constant=_refuse)
    except ValueError as error:
        # JSONDecodeError keeps the whole text as an attribute: drop it.
        raise JsonError(getattr(error, "lineno", 0), getattr(error, "colno", 0)) from None
