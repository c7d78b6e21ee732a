"""The environment: as the kernel handed it over, and as the command gets it.

Names and values are str, decoded as UTF-8 with surrogateescape whatever the locale says, which keeps every byte.
"""

from __future__ import annotations

import os

from .errors import EnvironmentTooLargeError, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .references import Reference

# People do keep these in a secret for the function's use. We never use them ourselves, and a function that suddenly
# talks to AWS as someone else deserves a word.
IDENTITY = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_TOKEN",
    }
)


OWN = "the function's own"


def pristine() -> dict[str, str]:
    """The environment that the process was started with; of a name that stands twice the first counts (getenv),
    and what has no name or no "=" is left out: execve(2) as Python has it takes pairs.

    Not os.environ: under a C locale CPython adds LC_CTYPE (PEP 538), even with -I, and only /proc/self/environ still
    holds the original. Where /proc is not mounted os.environ has to do.
    """
    try:
        with open("/proc/self/environ", "rb") as block:
            entries = block.read().split(b"\0")
    except OSError:
        entries = [name + b"=" + value for name, value in os.environb.items()]
    environ: dict[str, str] = {}
    for entry in entries:
        name, equals, value = entry.decode("utf-8", "surrogateescape").partition("=")
        if name and equals:
            environ.setdefault(name, value)
    return environ


class Value:
    """A variable's value, and the secret or parameter, in which version and region, that it was read from."""

    __slots__ = ("region", "source", "text", "version")

    def __init__(self, text: str, source: str, version: str, region: str) -> None:
        self.text = text
        self.source = source
        self.version = version
        self.region = region


class Origin:
    """Where a variable's value comes from; `over` says whose it overrides, "" if nobody's."""

    __slots__ = ("over", "reference", "value")

    def __init__(self, reference: Reference, value: Value, over: str) -> None:
        self.reference = reference
        self.value = value
        self.over = over

    def __str__(self) -> str:
        return f"{self.reference}, over {self.over}" if self.over else str(self.reference)


def merge(
    environ: Mapping[str, str], references: Iterable[Reference], loaded: Iterable[Mapping[str, Value]]
) -> tuple[dict[str, str], dict[str, Origin], list[str]]:
    """`environ` plus the variables of each reference, a later one winning; for each of these where it came from; and a
    line for each variable that was overridden."""
    merged = dict(environ)
    origins: dict[str, Origin] = {}
    overridden = []
    for reference, variables in zip(references, loaded, strict=True):
        for name, value in variables.items():
            over = str(origins[name].reference) if name in origins else OWN if name in merged else ""
            origins[name] = Origin(reference, value, over)
            merged[name] = value.text
            if over:
                overridden.append(f"{reference} overrides {printable(name)} of {over}")
    return merged, origins, overridden


def warnings(origins: Mapping[str, Origin]) -> list[str]:
    """A word on each variable out of a secret that changes as whom, or where, the function talks to AWS."""
    return [
        f"{origin.reference} sets {name}: the function will use it, this entrypoint does not"
        for name, origin in origins.items()
        if name in IDENTITY
    ]


def too_large(merged: Mapping[str, str], origins: Mapping[str, Origin]) -> EnvironmentTooLargeError:
    """The report for an environment that the kernel refused (E2BIG), naming the largest variable out of a secret."""
    message = f"the kernel refuses arguments and {_size(merged):,} bytes of environment (E2BIG)"
    if origins:
        name = max(origins, key=lambda name: _size({name: merged[name]}))
        message += (
            f"; the largest variable out of a secret is {printable(name)} ({_size({name: merged[name]}):,} bytes), by "
            f"{origins[name].reference}"
        )
    return EnvironmentTooLargeError(message + "; load less, or raise the stack limit that bounds it")


def encoded(environ: Mapping[str, str]) -> dict[bytes, bytes]:
    """`environ` as execve takes it, byte for byte what `pristine` read."""
    return {as_bytes(name): as_bytes(value) for name, value in environ.items()}


def _size(environ: Mapping[str, str]) -> int:
    return sum(len(as_bytes(name)) + len(as_bytes(value)) + 2 for name, value in environ.items())


def as_bytes(text: str) -> bytes:
    """The bytes that `text` was decoded from."""
    return text.encode("utf-8", "surrogateescape")
