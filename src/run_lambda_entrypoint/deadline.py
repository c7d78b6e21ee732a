"""One deadline for everything."""

from __future__ import annotations

from time import monotonic


class Deadline:
    """The moment `seconds` after `started`, which is a time of time.monotonic()."""

    __slots__ = ("end", "seconds")

    def __init__(self, started: float, seconds: float) -> None:
        self.end = started + seconds
        self.seconds = seconds

    def left(self) -> float:
        """Seconds until then, never below 0."""
        return max(0.0, self.end - monotonic())
