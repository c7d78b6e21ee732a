"""What goes to standard error: lines of text, or with AWS_LAMBDA_LOG_FORMAT=JSON one JSON object a line."""

from __future__ import annotations

import posix
import sys
import time
from _thread import RLock
from select import POLLOUT, poll  # here: a signal handler that imports could meet a half-imported module

from .text import MAX_LISTED, escaped, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .environment import Origin
    from .errors import EntrypointError

WRITE_TIMEOUT = 0.25  # seconds that this process waits for a full pipe, in all
# Bytes that a pipe takes at once when it is ready at all, and does not mix with what others write to it (PIPE_BUF,
# pipe(7)).
MAX_LINE_SIZE = 4096


class Log:
    """Writes what is at or above `level`: debug, info, warning or error. Times count from `started` (time.monotonic).

    A line names variables, keys and secrets, never a value: debug output may be pasted into a public issue. Whatever is
    in a message, it is one line. Nothing here imports, and the lock is one that its holder may take again: signal
    handlers write too.
    """

    __slots__ = ("_json", "_lock", "_patience", "_started", "level")

    def __init__(self, started: float, level: str = "warning", *, as_json: bool = False) -> None:
        self._started = started
        self._json = as_json
        self._lock = RLock()
        self._patience = WRITE_TIMEOUT
        self.level = level

    @property
    def tells_all(self) -> bool:
        """Whether what is well is told, too."""
        return self.level in ("info", "debug")

    def notes(self, notes: Iterable[tuple[str, str]]) -> None:
        """Lines, each of its level."""
        for level, message in notes:
            if level == "warning":
                self.warnings([message])
            elif level == "info" and self.tells_all:
                self._write(self._lines(level, message))
            elif level == "debug":
                self.debug(message)

    def summary(self, variables: int, sources: Sequence[Mapping[str, str]]) -> None:
        """How many variables were loaded, from what and in how many ms: one line, or where that has no room for all of
        `sources`, several."""
        elapsed = round((time.monotonic() - self._started) * 1000, 1)
        size = empty = len(self._summary(variables, elapsed, []))
        batches: list[list[Mapping[str, str]]] = [[]]
        for source in sources:
            more = len(self._summary(variables, elapsed, [source])) - empty + len("; ")
            if batches[-1] and size + more > MAX_LINE_SIZE:
                batches.append([])
                size = empty
            batches[-1].append(source)
            size += more
        self._write([self._summary(variables, elapsed, batch) for batch in batches])

    def _summary(self, variables: int, elapsed: float, sources: Sequence[Mapping[str, str]]) -> bytes:
        message = f"loaded {variables:,} variable{'s' * (variables != 1)} in {elapsed} ms"
        if self._json:
            named = [{name: text for name, text in each.items() if text and name != "kind"} for each in sources]
            return self._line("info", message, variables=variables, milliseconds=elapsed, sources=named)
        shown = []
        for each in sources:
            version = f"version {each['version']}" if each["version"] else ""
            where = ", ".join(filter(None, (version, each["region"])))
            shown.append(escaped(f"{each['kind']} {each['source']}{f' ({where})' if where else ''}"))
        return self._line("info", f"{message}: {'; '.join(shown)}" if shown else message)

    def debug(self, message: str) -> None:
        """One step, with the time since the start."""
        if self.level == "debug":
            elapsed = (time.monotonic() - self._started) * 1000
            self._write(self._lines("debug", f"{elapsed:.1f} ms: {message}"))

    def origins(self, origins: Mapping[str, Origin]) -> None:
        """Where each variable comes from, at level debug."""
        for name, origin in origins.items() if self.level == "debug" else ():
            version = f", version {origin.value.version}" if origin.value.version else ""
            overriding = f", overriding {origin.overrides}" if origin.overrides else ""
            self.debug(f"{printable(name)} from {origin.reference}{version}{overriding}")

    def warnings(self, messages: Sequence[str]) -> None:
        """What does not prevent the start but most likely is not intended: the first ones, and how many more."""
        more = len(messages) - MAX_LISTED
        shown = [*messages[:MAX_LISTED], *([f"and {more:,} more"] if more > 0 else [])]
        if self.level != "error":
            self._write([line for message in shown for line in self._lines("warning", message)])

    def failure(self, reports: Iterable[EntrypointError]) -> None:
        """Why the command is not started."""
        self._write([line for report in reports for line in self._lines("error", str(report), **report.fields())])

    def _lines(self, level: str, message: str, **fields: str) -> list[bytes]:
        """A line; of a message for which it has no room several, each with a part of it."""
        safe = escaped(message)
        line = self._line(level, safe, **fields)
        if len(line) <= MAX_LINE_SIZE:
            return [line]
        # Of the fields, `reference` and `source` are bounded where they are made.
        size = (MAX_LINE_SIZE - len(self._line(level, "", **fields))) // 4  # a character has at most four bytes
        return [self._line(level, safe[at : at + size], **fields) for at in range(0, len(safe), size)]

    def _line(self, level: str, message: str, **fields: object) -> bytes:
        if not self._json:
            text = f"run-lambda-entrypoint: {'' if level == 'error' else level + ': '}{message}\n"
            return text.encode("utf-8", "backslashreplace")
        now = time.time()
        timestamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now * 1000) % 1000:03d}Z"
        present = {name: value for name, value in fields.items() if value != ""}
        members = {"timestamp": timestamp, "level": level.upper(), "message": message, **present}
        return f"{_as_json(members)}\n".encode("utf-8", "backslashreplace")

    def _write(self, lines: list[bytes]) -> None:
        if not lines or sys.stderr is None:  # None where descriptor 2 is closed: it may be a socket by now
            return
        ready = poll()
        ready.register(2, POLLOUT)
        # A pipe that nobody empties must not keep a signal or the deadline from ending this process: nothing is written
        # to it that would wait. The lock, since another thread may take the place that was left.
        if not self._lock.acquire(timeout=self._patience):
            return
        try:
            for line in lines:
                rest = line
                while rest:
                    if not self._is_ready(ready):
                        return
                    rest = rest[posix.write(2, rest) :]
        except OSError:
            return  # nobody is left to tell
        finally:
            self._lock.release()

    def _is_ready(self, ready: poll) -> bool:
        """Whether standard error takes a chunk, now or before the patience of this process is used up."""
        if ready.poll(0):
            return True
        began = time.monotonic()
        answered = ready.poll(1000 * self._patience)
        self._patience = max(0.0, self._patience - (time.monotonic() - began))
        return bool(answered)


def _as_json(value: object) -> str:
    """By hand: json takes 5 ms to import, and a signal handler must not import at all."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{name}": {_as_json(inner)}' for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_json, value)) + "]"
    if isinstance(value, str):
        return '"' + escaped(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)
