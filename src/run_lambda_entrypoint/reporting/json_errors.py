"""What is wrong with a secret's JSON, in words of our own: no part of the secret, but its keys."""

from __future__ import annotations

import re

from ..native import JsonError, json
from ..text import listed, similar
from ..variables import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

EXAMPLE = 'store an object such as {"NAME": "value"}, or use LAMBDA_ENV_VALUE_FROM_NAME without a KEY for plain text'

WITHOUT_WIDTH = r"\u200b-\u200f\u2060\ufeff"  # what, like no-break spaces, copying from a web page or a chat may add
# The first one that matches is the kind of error. How a text begins that does not begin with a bracket.
PLAIN = (
    (r"\Z", "it is empty"),
    (rf"[\s{WITHOUT_WIDTH}]+[{{\[]", "an invisible character is before the object; remove it"),
    (r"""['"`]\s*\{""", "the object is in quotation marks; remove them"),
    (
        r"(?:[ \t\r]*(?:#[^\n]*)?\n)*(?:export[ \t]+)?[A-Za-z_]\w*[ \t]*=(?!=?[ \t]*$)",
        "it looks like lines of NAME=value (dotenv)",
    ),
    (r"---[ \t\r]*$|[\w.-]+:(?=[ \t\r]|$)", "it looks like YAML"),
    (r"", "it is plain text"),
)
# Where it goes wrong inside a string.
IN_STRING = (
    (r"[\r\n]", 'a string contains a line break; write it as \\n, or close the string with " before it'),
    (r"\t", "a string contains a tab; write it as \\t"),
    (r"[\0-\x1f]", "a string contains a control character; write it as \\u and four hexadecimal digits"),
    (r"", "a string contains a backslash that starts no valid escape; write it as \\\\"),
)
# Where it goes wrong outside of strings, without white space before that.
OUTSIDE = (
    (r"//|/\*|#", "it contains a comment, which JSON does not allow; remove it"),
    (r"\\", 'quotation marks or line breaks are escaped outside of strings; write " instead of \\"'),
    (r"'", 'it contains single quotation marks; use double ones (")'),
    ("[\u2018-\u201f\u00ab\u00bb]", 'it contains typographic quotation marks; use straight ones (")'),
    (
        rf"[^\S \t\r\n]|[{WITHOUT_WIDTH}]",
        "it contains an invisible character, such as a no-break space; replace it with a space",
    ),
    (r",\s*[}\]]|(?<=,)[}\]]", "a comma follows the last item; remove it"),
    (r"(?<=[{\[,]),", "a comma has no item before it; remove it"),
    (r"(?:True|False|None)\b", "it contains Python's True, False or None; write true, false or null"),
    (r"\Z", "it ends too early: a bracket or quotation mark is missing, or the text was truncated"),
    (r'(?<=[{\[,:])"', "a string is not closed: its quotation mark is missing, or the text was truncated"),
    (r"(?<=:)[,}]", 'a key has no value; write "" or null'),
    (r'(?<=[{\[,:\w.])[^\s\[\]{}":,;=]', 'a key or value has no quotation marks; write "key": "value"'),
    (
        r'(?<=")[^\s\[\]{}":,;=]',
        'a string contains a quotation mark; write it as \\", or close the string with " before it',
    ),
    (r"(?<![{\[,:])[}\]]", "a key has no value, or [ is closed with }, or { with ]"),
    (r'(?<![{\[,:])["{\[;=]', "a comma is missing between two items, or a colon after a key; add it"),
)


def not_json(secret: str, error: JsonError) -> str:
    """The kind of error, and what to do about it. Takes time linear in the size of `secret`."""
    text = secret.lstrip(json.WHITE_SPACE)
    if not text.startswith(("{", "[")):
        return f"the secret is not valid JSON: {_first(PLAIN, text, 0)}; {EXAMPLE}"
    if not error.line:  # of what json refuses, only constants have no position
        return "the secret is not valid JSON: NaN and Infinity are not JSON numbers; write null, or a string"
    where = f"the secret is not valid JSON (error at line {error.line}, column {error.column})"
    kind = _kind_at(secret, _position(secret, error))
    return f"{where}: {kind}" if kind else f"{where}; {EXAMPLE}"


def not_an_object(document: object) -> str:
    """What the secret is instead, and what to do about it."""
    if isinstance(document, str) and not isinstance(document, json.Number) and document.lstrip().startswith("{"):
        return (
            "the secret is a JSON object inside a JSON string; store the object itself, without the quotation marks "
            "around it and the backslashes in it"
        )
    return f"the secret must be a JSON object, not {_type(document)}; {EXAMPLE}"


def missing_key(document: Mapping[str, Any], parts: Sequence[str]) -> str:
    """Why there is no value at `parts`, each of which is a key in the object before; it lists what that one has."""
    level, path = document, ""
    for index, part in enumerate(parts):  # the last one at most is missing: it has no value
        inner = level.get(part)
        if not isinstance(inner, dict):
            break
        level, path = inner, ".".join(parts[: index + 1])
    missing = f"key {quoted('.'.join(parts))} not found or null"
    if inner is not None:
        return f"{missing}; {quoted('.'.join(parts[: index + 1]))} is {_type(inner)}, not an object"
    owner = f"the keys of {quoted(path)}" if path else "the secret's keys"
    keys = listed(map(quoted, level), ", ") or "none"
    outer = part.partition(".")[0]
    is_inside = part not in level and isinstance(level.get(outer), dict)  # which the dot meant
    inside = f"; for a key inside {quoted(outer)} use LAMBDA_ENV_VALUE_FROM_NAME" if is_inside else ""
    nearest = similar(part, [key for key, value in level.items() if value is not None])
    meant = ".".join([*parts[:index], nearest, *parts[index + 1 :]])
    return f"{missing}; {owner} are: {keys}{inside}" + (f"; did you mean {quoted(meant)}?" if nearest else "")


def _first(kinds: Sequence[tuple[str, str]], text: str, position: int) -> str:
    return next((words for pattern, words in kinds if re.compile(pattern, re.MULTILINE).match(text, position)), "")


def _position(text: str, error: JsonError) -> int:
    line_start = 0
    for _ in range(error.line - 1):
        line_start = text.index("\n", line_start) + 1
    return line_start + error.column - 1


def _kind_at(text: str, position: int) -> str:
    """What is wrong where a text, which begins with a bracket, stops being JSON; "" if that is of no known kind."""
    before, after = text[:position].rstrip(json.WHITE_SPACE), text[position:]
    if before.replace("\\\\", "").replace('\\"', "").count('"') % 2:
        return _first(IN_STRING, after, 0)
    if after and _is_json(before):
        several = after.startswith(("{", "["))
        return "it contains several objects; store one" if several else "text follows the object; remove it"
    return _first(OUTSIDE, before + after.lstrip(json.WHITE_SPACE), len(before))


def _is_json(text: str) -> bool:
    try:
        json.loads(text, json.Number)
    except JsonError:
        return False
    return True


def _type(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, json.Number):
        return "a number"
    return "a string" if isinstance(value, str) else "an array"
