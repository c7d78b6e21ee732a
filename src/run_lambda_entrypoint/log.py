"""What is told on standard error: lines of text, or with AWS_LAMBDA_LOG_FORMAT=JSON one JSON object a line."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .errors import EntrypointError

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
        if lines and sys.stderr is not None:  # None where descriptor 2 is closed: it may be a socket by now
            try:
                # One write, so that lines of other processes do not come between.
                os.write(
                    sys.stderr.fileno(),
                    "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"),
                )
            except OSError:
                return  # nobody is left to tell
