"""What is told on standard error: lines of text, or with AWS_LAMBDA_LOG_FORMAT=JSON one JSON object a line."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .errors import EntrypointError

PATIENCE = 0.5  # seconds that a full pipe is waited for
PIECE = 4096  # bytes that a pipe takes at once when it is ready at all (PIPE_BUF, pipe(7))
LEVELS = ("debug", "info", "warning", "error")


class Log:
    """Tells what is at or above `level`, one of LEVELS; times count from `started`, of time.monotonic().

    What is told names variables, keys and secrets, never a value: debug output may be pasted into a public issue.
    """

    __slots__ = ("_json", "_started", "level")

    def __init__(self, started: float, level: str = "info", *, as_json: bool = False) -> None:
        self._started = started
        self._json = as_json
        self.level = level

    def debug(self, message: str) -> None:
        """One step, with the time since the start."""
        if self.level == "debug":
            self._write(
                [self._line("debug", f"{(time.monotonic() - self._started) * 1000:.1f} ms: {message}")]
            )

    def warnings(self, messages: Iterable[str]) -> None:
        """What does not stop the start but most likely is not meant."""
        if self.level != "error":
            self._write([self._line("warning", message) for message in messages])

    def failure(self, reports: Iterable[EntrypointError]) -> None:
        """Why the command is not started."""
        self._write(
            [
                self._line("error", str(report), errorType=report.error_type, **report.subject)
                for report in reports
            ]
        )

    def _line(self, level: str, message: str, **fields: str) -> str:
        if not self._json:
            return f"run-lambda-entrypoint: {'' if level == 'error' else level + ': '}{message}"
        import json  # not at every start

        now = time.time()
        timestamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now * 1000) % 1000:03d}Z"
        return json.dumps({"timestamp": timestamp, "level": level.upper(), "message": message, **fields})

    def _write(self, lines: list[str]) -> None:
        if not lines or sys.stderr is None:  # None where descriptor 2 is closed: it may be a socket by now
            return
        import select

        rest = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
        ready = select.poll()
        ready.register(2, select.POLLOUT)
        until = time.monotonic() + PATIENCE
        try:
            # A pipe that nobody empties must not keep a signal or the deadline from ending this process.
            while rest and ready.poll(max(0.0, until - time.monotonic()) * 1000):
                rest = rest[os.write(2, rest[:PIECE]) :]
        except OSError:
            return  # nobody is left to tell
