"""Text at the borders of the process: the kernel's bytes, and what is safe to print."""

from __future__ import annotations


def decode(raw: bytes) -> str:
    """Bytes of an environment or a command line as text, whatever the locale says; `encode` gives them back."""
    return raw.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that `text` was decoded from."""
    return text.encode("utf-8", "surrogateescape")


def printable(text: str, limit: int = 400) -> str:
    """`text` as it may appear in one line of a log: with no control character or lone surrogate, of limited length."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"
