"""One deadline for everything."""

from __future__ import annotations

from time import monotonic

from .record import Record


class Deadline(Record):
    """The moment `seconds` after `started`, which is a time of time.monotonic()."""

    started: float
    seconds: float

    def remaining(self) -> float:
        """Seconds until then, never below 0."""
        return max(0.0, self.started + self.seconds - monotonic())
