"""Many calls at once over one transport: retried while their errors are retryable, all within one deadline."""

from __future__ import annotations

import posix
from _queue import Empty, SimpleQueue
from _thread import stack_size, start_new_thread
from time import sleep

from ..errors import FAILED, FILE_LIMITS, THROTTLED, UNAVAILABLE, EntrypointError, ServiceError, internal
from ..memory import address_space_is_limited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..deadline import Deadline
    from ..log import Log
    from .call import Call, Reply, Transport

    Outcome = Reply | EntrypointError

MAX_THREADS = 16
# Bytes. Without it, a thread has as small a stack as the main one (ulimit -s). What a source of credentials
# replies is not checked for depth: json refuses 10,000 levels, which take 2.2 MB (as in standalone/interpreter.py).
STACK_SIZE = 4_194_304
RESERVED_FILES = 5  # descriptors that a start needs beside its connections: the archive, trust stores, the resolver's
MAX_PAGES, MAX_SIZE = 1_000, 8_000_000  # of one reply: 10,000 parameters, and more bytes than an environment may have
# The maximum of the first pause and of any pause, in seconds; if AWS throttles, as in botocore's standard mode.
PAUSES = (0.1, 2.0)
PAUSES_WHEN_THROTTLED = (1.0, 4.0)
# Seconds. A signal that arrives just before the wait begins does not end it: its handler runs when the wait is over.
POLL_INTERVAL = 0.05


class _Sending:
    """A call while it is sent, `page` by page: `outcome` is None until it has succeeded or failed for good."""

    __slots__ = ("call", "last_error", "outcome", "page")

    def __init__(self, call: Call) -> None:
        self.call = self.page = call
        self.last_error: EntrypointError | None = None
        self.outcome: Outcome | None = None


def send_all(calls: Sequence[Call], transport: Transport, deadline: Deadline, log: Log) -> list[Outcome]:
    """The outcome of each call, in order: its reply, or why there is none. Returns by the deadline.

    This thread does nothing but keep the deadline: an import, a name resolution or a handshake that takes too long
    cannot be interrupted, only left behind (the threads end with the process).
    """
    sendings = [_Sending(call) for call in calls]
    pending = sendings[::-1]
    finished: SimpleQueue[_Sending] = SimpleQueue()

    broken: list[EntrypointError] = []

    def prepare() -> None:
        try:
            transport.prepare()
        except EntrypointError as error:
            failure = error
        except Exception as error:
            failure = internal(error)
            broken.append(failure)
        else:
            return
        for sending in sendings:
            sending.outcome = failure
            finished.put(sending)

    def work() -> None:
        while pending:
            try:
                sending = pending.pop()
            except IndexError:  # another thread took the last one
                return
            sending.outcome = _outcome(sending, transport, deadline, log)
            if sending.outcome is not None:  # otherwise the time is up
                finished.put(sending)

    # The connections are made while the rest is prepared; both are needed, more threads only help.
    _start_threads([work, prepare], [work] * (_concurrency(len(calls)) - 1))
    _wait(finished, len(calls), deadline)
    if broken:  # not for each call
        raise broken[0]
    return [
        _too_late(sending, transport, deadline) if sending.outcome is None else sending.outcome for sending in sendings
    ]


def _concurrency(count: int) -> int:
    """How many of `count` calls are sent at once: fewer where the limit of open files is low, one where the address
    space is limited: glibc reserves 64 MB of it for each thread (an arena), and where none is left, OpenSSL crashes."""
    most = min(MAX_THREADS, count)
    if most > 1 and address_space_is_limited():
        return 1
    return max(1, _openable(most + RESERVED_FILES) - RESERVED_FILES) if most > 1 else most


def _openable(most: int) -> int:
    """How many files this process may still open, `most` at most. Tried, since only /proc knows how many there are."""
    opened: list[int] = []
    try:
        while len(opened) < most:
            opened.append(posix.open("/", posix.O_PATH | posix.O_CLOEXEC))
    except OSError as error:
        if error.errno not in FILE_LIMITS:
            return most
    finally:
        for descriptor in opened:
            posix.close(descriptor)
    return len(opened)


def _start_threads(needed: Sequence[Callable[[], None]], helpful: Sequence[Callable[[], None]]) -> None:
    started = 0
    try:
        stack_size(STACK_SIZE)
        for run in (*needed, *helpful):
            start_new_thread(run, ())
            started += 1
    except RuntimeError:  # the limit of processes, or no memory
        if started < len(needed):
            raise EntrypointError(
                FAILED, "cannot start a thread; raise the limit of processes (ulimit -u), or the memory"
            ) from None


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
    call = sending.call
    pages = _Pages(call)
    attempts = 0
    while remaining := deadline.remaining():
        attempts += 1
        try:
            reply, size = transport.send(sending.page, remaining)
            elapsed = 1000 * (remaining - deadline.remaining())
            log.debug(f"{call}: {transport.host(call)} answered in {elapsed:.1f} ms")
            if not call.result_key:
                return reply
            token = pages.add(reply, size)
            if not token:
                return pages.merged()
            sending.page, attempts = call.next_page(token), 0
        except Exception as error:  # the boundary of this thread: nothing may end it without an outcome
            failure = error if isinstance(error, EntrypointError) else internal(error)
            if not failure.retryable:
                return failure
            if deadline.remaining():  # otherwise it is the deadline that ended this attempt
                sending.last_error = failure
            pause = _pause(attempts, failure)
            log.debug(f"{call}: attempt {attempts} failed: {failure}; retrying in {1000 * pause:.0f} ms")
            sleep(min(pause, deadline.remaining()))
    return None


def _pause(attempts: int, error: EntrypointError) -> float:
    """Seconds until the next attempt. Full jitter: hundreds of cold starts that were throttled together must not come
    back together."""
    first, longest = PAUSES_WHEN_THROTTLED if error.kind is THROTTLED else PAUSES
    return min(longest, first * 2.0 ** (attempts - 1)) * int.from_bytes(posix.urandom(4), "big") / 2**32


class _Pages:
    """The pages of one reply, each checked by itself: one that was left out would start a command without secrets."""

    __slots__ = ("_items", "_key", "_max_items", "_size", "_tokens")

    def __init__(self, call: Call) -> None:
        self._key = call.result_key
        self._max_items = call.params.get("MaxResults", 0)
        self._items: list[Any] = []
        self._tokens: set[str] = set()
        self._size = 0

    def add(self, page: Reply, size: int) -> str:
        """Takes a page of `size` bytes. The token of the next one, "" if it was the last. Raises EntrypointError."""
        items, token = page.get(self._key), page.get("NextToken")
        token = "" if token is None else token
        if not isinstance(items, list) or len(items) > self._max_items or not isinstance(token, str):
            raise _invalid(f"page {len(self._tokens) + 1} of the reply is not valid; check that the endpoint is AWS's")
        if token in self._tokens:
            raise _invalid("two pages of the reply have the same NextToken; check that the endpoint is AWS's")
        self._items += items
        self._size += size
        if token:
            self._tokens.add(token)
        if len(self._tokens) >= MAX_PAGES or self._size > MAX_SIZE:
            raise _invalid(f"the reply is larger than {MAX_PAGES:,} pages or {MAX_SIZE:,} bytes; request fewer at once")
        return token

    def merged(self) -> Reply:
        """One reply with the list of all pages."""
        return {self._key: self._items}


def _invalid(message: str) -> EntrypointError:
    return EntrypointError(UNAVAILABLE, message)


def _too_late(sending: _Sending, transport: Transport, deadline: Deadline) -> EntrypointError:
    seconds = f"{deadline.seconds:g}"
    error = sending.last_error
    if isinstance(error, ServiceError):  # its text can be shortened
        return ServiceError(error.kind, f"not fetched within {seconds} s; the last error: {error.code}", error.text)
    if error:
        return EntrypointError(error.kind, f"not fetched within {seconds} s; the last error: {error}")
    waiting = transport.waiting(sending.page)
    return EntrypointError(waiting.kind, f"not fetched within {seconds} s: {waiting}")
