"""Text at the borders of the process: the kernel's bytes, and what is safe to print."""

from __future__ import annotations


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


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
