"""Many calls at once over one transport: retried while their faults may pass, all within one deadline."""

from __future__ import annotations

import os
import time
from _queue import Empty, SimpleQueue
from _thread import start_new_thread

from ..errors import EntrypointError, FetchError, internal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from . import Call, Reply, Transport

    Outcome = Reply | EntrypointError

AT_ONCE = 16
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0


def fetch(calls: Sequence[Call], transport: Transport, seconds: float) -> list[Outcome]:
    """The outcome of each call, in order: its reply, or why there is none. Never takes longer than `seconds`.

    The deadline is kept by this thread: a name resolution or a handshake that hangs cannot be interrupted, only left
    behind (the threads end with the process).
    """
    deadline = time.monotonic() + seconds
    pending = list(enumerate(calls))[::-1]
    finished: SimpleQueue[tuple[int, Outcome]] = SimpleQueue()
    faults: dict[int, FetchError] = {}

    def work() -> None:
        while pending:
            try:
                index, call = pending.pop()
            except IndexError:  # another thread took the last one
                return
            outcome = _outcome(index, call, transport, deadline, faults)
            if outcome is not None:  # else the time is up, which the main thread tells
                finished.put((index, outcome))

    for _ in range(min(AT_ONCE, len(calls))):
        start_new_thread(work, ())
    outcomes: dict[int, Outcome] = {}
    while len(outcomes) < len(calls):
        try:
            index, outcome = finished.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            break
        outcomes[index] = outcome
    return [
        outcomes[index] if index in outcomes else _too_late(seconds, transport.host(call), faults.get(index))
        for index, call in enumerate(calls)
    ]


def _outcome(
    index: int, call: Call, transport: Transport, deadline: float, faults: dict[int, FetchError]
) -> Outcome | None:
    """Sends `call` until it succeeds or fails for good; None when the time is up. `faults` keeps the last passing
    fault."""
    longest = FIRST_PAUSE
    while (left := deadline - time.monotonic()) > 0:
        try:
            return transport.send(call, left)
        except FetchError as error:
            if not error.passing:
                return error
            faults[index] = error
        except EntrypointError as error:
            return error
        except Exception as error:  # the boundary of this thread: nothing may end it without an outcome
            return internal(error)
        # Full jitter: hundreds of cold starts that were throttled together must not come back together.
        pause = longest * int.from_bytes(os.urandom(4), "big") / 2**32
        longest = min(2 * longest, LONGEST_PAUSE)
        time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
    return None


def _too_late(seconds: float, host: str, fault: FetchError | None) -> EntrypointError:
    last = f"last fault: {fault}" if fault else f"no answer from {host}"
    return FetchError(f"not fetched within {seconds:g} s; {last}")
