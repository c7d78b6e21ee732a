"""What goes to standard output: the help, versions, licenses and the dry run."""

from __future__ import annotations

import posix
import sys
from select import POLLOUT, poll

from ..errors import NOT_WRITTEN, EntrypointError


def write(text: str) -> None:
    """Writes `text` in the locale's encoding, escaped where that has no such character. It is no failure if the reader
    has seen enough.

    Raises EntrypointError where it cannot be written. Not by sys.stdout: what its buffer still holds then, Python tries
    to write once more at its end, and fails in its own words with exit code 120.
    """
    if sys.stdout is None:
        raise _failed("it is closed")
    rest = text.encode(sys.stdout.encoding, "backslashreplace")
    ready = poll()
    ready.register(1, POLLOUT)
    try:
        while rest:
            ready.poll()  # it may be a pipe that somebody made non-blocking
            rest = rest[posix.write(1, rest) :]
    except BrokenPipeError:
        return
    except OSError as error:
        raise _failed(error.strerror or type(error).__name__) from None


def _failed(reason: str) -> EntrypointError:
    return EntrypointError(NOT_WRITTEN, f"cannot write to standard output: {reason}; redirect it to somewhere else")
