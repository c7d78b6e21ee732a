"""How long something takes altogether, readable at any time from any thread."""

from __future__ import annotations

from time import monotonic


class Stopwatch:
    """Started and stopped by one thread at a time."""

    def __init__(self) -> None:
        # One object, replaced as a whole: a reader never sees half of a change.
        self._state: tuple[float, float | None] = (0.0, None)

    def start(self) -> None:
        """Goes on."""
        self._state = (self.seconds(), monotonic())

    def stop(self) -> None:
        """Pauses."""
        self._state = (self.seconds(), None)

    def seconds(self) -> float:
        """What has been measured so far."""
        measured, since = self._state
        return measured if since is None else measured + monotonic() - since
