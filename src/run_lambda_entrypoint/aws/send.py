"""Many calls at once over one transport: retried while their errors are retryable, all within one deadline."""

from __future__ import annotations

import os
from _queue import Empty, SimpleQueue
from _thread import start_new_thread
from time import sleep

from ..errors import FAILED, THROTTLED, UNREACHABLE, EntrypointError, internal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..deadline import Deadline
    from ..log import Log
    from .call import Call, Reply, Transport

    Outcome = Reply | EntrypointError

MAX_THREADS = 16
# The maximum of the first pause and of any pause, in seconds; if AWS throttles, as in botocore's standard mode.
PAUSES = (0.1, 2.0)
PAUSES_WHEN_THROTTLED = (1.0, 4.0)
# Seconds. A signal that arrives just before the wait begins does not end it: its handler runs when the wait is over.
POLL_INTERVAL = 0.05


class _Sending:
    """A call while it is sent: `outcome` is None until it has succeeded or failed for good."""

    __slots__ = ("call", "last_error", "outcome")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.last_error: EntrypointError | None = None
        self.outcome: Outcome | None = None


def send_all(calls: Sequence[Call], transport: Transport, deadline: Deadline, log: Log) -> list[Outcome]:
    """The outcome of each call, in order: its reply, or why there is none. Returns by the deadline.

    This thread does nothing but keep the deadline: a name resolution or a handshake that hangs cannot be interrupted,
    only left behind (the threads end with the process).
    """
    sendings = [_Sending(call) for call in calls]
    pending = sendings[::-1]
    finished: SimpleQueue[_Sending] = SimpleQueue()

    def work() -> None:
        while pending:
            try:
                sending = pending.pop()
            except IndexError:  # another thread took the last one
                return
            sending.outcome = _outcome(sending, transport, deadline, log)
            if sending.outcome is not None:  # otherwise the time is up
                finished.put(sending)

    _start_threads(work, min(MAX_THREADS, len(calls)))
    try:
        transport.prepare()
    except EntrypointError as error:
        return [error] * len(calls)
    _wait(finished, len(calls), deadline)
    return [
        _too_late(sending, transport, deadline) if sending.outcome is None else sending.outcome for sending in sendings
    ]


def _start_threads(work: Callable[[], None], count: int) -> None:
    for number in range(count):
        try:
            start_new_thread(work, ())
        except RuntimeError:  # the limit of processes: fewer threads have to do, but at least one
            if number == 0:
                raise EntrypointError(
                    FAILED, "cannot start a thread; raise the limit of processes (ulimit -u)"
                ) from None
            return


def _wait(finished: SimpleQueue[_Sending], count: int, deadline: Deadline) -> None:
    """Returns when `count` calls are finished, or at the deadline."""
    while count:
        try:
            finished.get(timeout=min(POLL_INTERVAL, deadline.remaining()))
        except Empty:
            if not deadline.remaining():
                return
        else:
            count -= 1


def _outcome(sending: _Sending, transport: Transport, deadline: Deadline, log: Log) -> Outcome | None:
    """Sends a call, page after page, until it succeeds or fails for good; None when the time is up."""
    call = page = sending.call
    pages: list[Reply] = []
    attempts = 0
    while remaining := deadline.remaining():
        attempts += 1
        outcome = _attempt(page, transport, remaining)
        if isinstance(outcome, EntrypointError):
            if not outcome.retryable:
                return outcome
            sending.last_error = outcome
            pause = _pause(attempts, outcome)
            log.debug(f"{call}: attempt {attempts} failed: {outcome}; retrying in {1000 * pause:.0f} ms")
            sleep(min(pause, deadline.remaining()))
            continue
        elapsed = 1000 * (remaining - deadline.remaining())
        log.debug(f"{call}: {transport.host(call)} answered in {elapsed:.1f} ms")
        pages.append(outcome)
        token = outcome.get("NextToken")
        if not token:
            return merge_pages(pages)
        page, attempts = page.next_page(token), 0
    return None


def _attempt(call: Call, transport: Transport, timeout: float) -> Outcome:
    try:
        return transport.send(call, timeout)
    except EntrypointError as error:
        return error
    except Exception as error:  # the boundary of this thread: nothing may end it without an outcome
        return internal(error)


def _pause(attempts: int, error: EntrypointError) -> float:
    """Seconds until the next attempt. Full jitter: hundreds of cold starts that were throttled together must not come
    back together."""
    first, longest = PAUSES_WHEN_THROTTLED if error.kind is THROTTLED else PAUSES
    return min(longest, first * 2.0 ** (attempts - 1)) * int.from_bytes(os.urandom(4), "big") / 2**32


def merge_pages(pages: Sequence[Reply]) -> Reply:
    """One reply with the lists of all pages."""
    merged = dict(pages[0])
    for page in pages[1:]:
        for name, part in page.items():
            if isinstance(part, list) and isinstance(merged.get(name), list):
                merged[name] = merged[name] + part
    return merged


def _too_late(sending: _Sending, transport: Transport, deadline: Deadline) -> EntrypointError:
    error = sending.last_error or EntrypointError(UNREACHABLE, f"no answer from {transport.host(sending.call)}")
    return EntrypointError(error.kind, f"not fetched within {deadline.seconds:g} s; the last error: {error}")
