"""Many calls at once over one transport: retried while their faults may pass, all within one deadline."""

from __future__ import annotations

import os
from _queue import Empty, SimpleQueue
from _thread import start_new_thread
from time import sleep

from ..errors import EntrypointError, FetchError, internal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..deadline import Deadline
    from . import Call, Reply, Transport

    Outcome = Reply | EntrypointError

AT_ONCE = 16
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
# A signal that comes just before the wait begins does not end it: its handler runs when the wait does.
SLICE = 0.05


def fetch(calls: Sequence[Call], transport: Transport, deadline: Deadline) -> list[Outcome]:
    """The outcome of each call, in order: its reply, or why there is none. Back by the deadline.

    The deadline is kept by this thread: a name resolution or a handshake that hangs cannot be interrupted, only left
    behind (the threads end with the process).
    """
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
    try:
        transport.prepare()
    except EntrypointError as error:
        return [error] * len(calls)
    outcomes: dict[int, Outcome] = {}
    while len(outcomes) < len(calls):
        try:
            index, outcome = finished.get(timeout=min(SLICE, deadline.left()))
        except Empty:
            if not deadline.left():
                break
            continue
        outcomes[index] = outcome
    return [
        outcomes[index]
        if index in outcomes
        else _too_late(deadline.seconds, transport.host(call), faults.get(index))
        for index, call in enumerate(calls)
    ]


def _outcome(
    index: int, call: Call, transport: Transport, deadline: Deadline, faults: dict[int, FetchError]
) -> Outcome | None:
    """Sends `call` until it succeeds or fails for good; None when the time is up. `faults` keeps the last passing
    fault."""
    longest = FIRST_PAUSE
    while left := deadline.left():
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
        sleep(min(pause, deadline.left()))
    return None


def _too_late(seconds: float, host: str, fault: FetchError | None) -> EntrypointError:
    last = f"last fault: {fault}" if fault else f"no answer from {host}"
    return FetchError(f"not fetched within {seconds:g} s; {last}")
