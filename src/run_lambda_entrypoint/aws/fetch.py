"""Many calls at once over one transport: retried while their faults may pass, all within one deadline."""

from __future__ import annotations

import os
from _queue import Empty, SimpleQueue
from _thread import start_new_thread
from time import sleep

from ..errors import DeadlineError, EntrypointError, FetchError, NetworkError, ServiceError, internal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..deadline import Deadline
    from ..log import Log
    from . import Call, Reply, Transport

    Outcome = Reply | EntrypointError

AT_ONCE = 16
# The longest first pause and the longest of all, in seconds; where AWS throttles, as in botocore's standard mode.
PAUSES = (0.1, 2.0)
PAUSES_THROTTLED = (1.0, 4.0)
# A signal that comes just before the wait begins does not end it: its handler runs when the wait does.
SLICE = 0.05


def fetch(calls: Sequence[Call], transport: Transport, deadline: Deadline, log: Log) -> list[Outcome]:
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
            outcome = _outcome(index, call, transport, deadline, faults, log)
            if outcome is not None:  # else the time is up, which the main thread tells
                finished.put((index, outcome))

    for number in range(min(AT_ONCE, len(calls))):
        try:
            start_new_thread(work, ())
        except RuntimeError:  # the limit of processes: fewer have to do, but one
            if number == 0:
                raise EntrypointError(
                    "no thread can be started; raise the limit of processes (ulimit -u)"
                ) from None
            break
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
    index: int, call: Call, transport: Transport, deadline: Deadline, faults: dict[int, FetchError], log: Log
) -> Outcome | None:
    """Sends `call` until it succeeds or fails for good; None when the time is up. `faults` keeps the last passing
    fault."""
    page = call
    earlier: list[Reply] = []
    tries = 0
    while left := deadline.left():
        tries += 1
        try:
            reply = transport.send(page, left)
        except FetchError as error:
            if not error.passing:
                return error
            faults[index] = fault = error
        except EntrypointError as error:
            return error
        except Exception as error:  # the boundary of this thread: nothing may end it without an outcome
            return internal(error)
        else:
            log.debug(
                f"{call}: answered by {transport.host(call)} in {1000 * (left - deadline.left()):.1f} ms"
            )
            token = reply.get("NextToken")
            if not token:
                return call.joined([*earlier, reply]) if earlier else reply
            earlier.append(reply)
            page, tries = call.next(token), 0
            continue
        # Full jitter: hundreds of cold starts that were throttled together must not come back together.
        throttled = isinstance(fault, ServiceError) and fault.throttled
        first, longest = PAUSES_THROTTLED if throttled else PAUSES
        pause = min(longest, first * 2.0 ** (tries - 1)) * int.from_bytes(os.urandom(4), "big") / 2**32
        log.debug(f"{call}: attempt {tries} failed: {fault}; again in {1000 * pause:.0f} ms")
        sleep(min(pause, deadline.left()))
    return None


def _too_late(seconds: float, host: str, fault: FetchError | None) -> EntrypointError:
    if fault is None:
        fault = NetworkError(f"no answer from {host}")
    return DeadlineError(f"not fetched within {seconds:g} s; the last fault: {fault}", fault)
