"""The report of a failed start to Lambda, so that the caller and the console see more than Runtime.ExitError."""

from __future__ import annotations

import http.client
import json
import signal
from _thread import allocate_lock, start_new_thread
from contextlib import closing, suppress

from ..errors import MAX_PROBLEMS, first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..errors import EntrypointError

MAX_SIZE = 32_000  # bytes; one problem, even if every byte is escaped, has fewer
# For callers who are not to see names of secrets and keys. The Runtime API's errors have a message, always.
WITHOUT_NAMES = "the function did not start; see its log"
PATH = "/2018-06-01/runtime/init/error"


def report_failed_init(
    address: str, reports: Sequence[EntrypointError], *, in_full: bool, seconds: float = 0.5
) -> None:
    """Posts a failure to the Runtime API at `address` (host:port), within `seconds`, as far as that is possible: it is
    on standard error already. Unless `in_full`, no more than its type.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, "Initialization error". http.client ignores proxies,
    which must not be used here.
    """
    body = _body(reports) if in_full else _as_json(WITHOUT_NAMES, reports[0].kind.error_type)
    headers = {
        "Content-Type": "application/vnd.aws.lambda.error+json",
        "Lambda-Runtime-Function-Error-Type": reports[0].kind.error_type,
    }

    ended = allocate_lock()
    ended.acquire()

    def post() -> None:
        # The boundary of its thread: the failure is on standard error already, and its exit code must hold.
        with suppress(Exception), closing(http.client.HTTPConnection(address, timeout=seconds)) as connection:
            connection.request("POST", PATH, body, headers)
            connection.getresponse()
        ended.release()

    # A thread, since a timeout on the socket does not bound name resolution. Not threading's: its start waits for the
    # thread, forever if that has no memory.
    try:
        start_new_thread(post, ())
    except RuntimeError:  # no thread can be started: the alarm interrupts this one
        signal.signal(signal.SIGALRM, _give_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        post()
    ended.acquire(timeout=seconds)


def _body(reports: Sequence[EntrypointError]) -> bytes:
    """What is posted: as many of the problems as MAX_SIZE has room for."""
    for count in range(MAX_PROBLEMS, 0, -1):
        body = _as_json("\n".join(map(str, first(reports, count))), reports[0].kind.error_type)
        if len(body) <= MAX_SIZE:
            break
    return body


def _as_json(message: str, error_type: str) -> bytes:
    return json.dumps({"errorMessage": message, "errorType": error_type, "stackTrace": []}).encode()


def _give_up(*_: object) -> None:
    raise TimeoutError
