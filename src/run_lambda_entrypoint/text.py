"""Text at the borders of the process: the kernel's bytes, and what is safe to print."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Of keys, or other parts of one problem: what is left of a problem's bytes where the secret's ARN is as long as can be.
MAX_LISTED, MAX_LIST_SIZE = 20, 700
MAX_COMPARED = 100  # characters of a name: comparing takes the square of that


def decode(raw: bytes) -> str:
    """Bytes of an environment or a command line as text, whatever the locale says; `encode` gives them back."""
    return raw.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that `text` was decoded from."""
    return text.encode("utf-8", "surrogateescape")


def escaped(text: str) -> str:
    """`text` as one line of a log: with no control character, line separator or lone surrogate."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def printable(text: str, limit: int = 400) -> str:
    """`escaped`, and of limited length."""
    safe = escaped(text)
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def shortened(text: str, size: int) -> str:
    """`text` of at most `size` bytes in UTF-8, with an ellipsis for what is left out; "" if not even that fits."""
    if len(text) * 4 <= size or len(text.encode()) <= size:
        return text
    ellipsis = "…"
    room = size - len(ellipsis.encode())
    return text.encode()[:room].decode("utf-8", "ignore") + ellipsis if room >= 0 else ""


def listed(items: Iterable[str], separator: str = "; ") -> str:
    """The first of `items`, at most MAX_LISTED, as far as MAX_LIST_SIZE bytes go, and how many more there are."""
    found = list(items)
    shown, size = 0, 0
    for item in found[:MAX_LISTED]:
        size += len(item.encode()) + len(separator)
        if shown and size > MAX_LIST_SIZE:
            break
        shown += 1
    more = [f"and {len(found) - shown:,} more"] if shown < len(found) else []
    return separator.join([*found[:shown], *more])


def similar(name: str, names: Iterable[str]) -> str:
    """The one of `names` that is most like `name`, whatever the case; "" if none is."""
    # Saves 10 ms: only reports need it.
    from difflib import get_close_matches  # noqa: PLC0415

    lowered = {other[:MAX_COMPARED].lower(): other for other in names}
    return next((lowered[found] for found in get_close_matches(name[:MAX_COMPARED].lower(), lowered, 1)), "")


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
