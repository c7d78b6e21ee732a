"""The report of a failed start to Lambda, so that the caller and the console see more than Runtime.ExitError."""

from __future__ import annotations

import http.client
import json
import signal
from _thread import allocate_lock, start_new_thread
from contextlib import suppress

PATH = "/2018-06-01/runtime/init/error"


def report_failed_init(address: str, message: str, error_type: str, seconds: float = 1.0) -> None:
    """Posts the failure to the Runtime API at `address` (host:port), within `seconds`, as far as that is possible: it
    is on standard error already.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, "Initialization error". http.client ignores proxies,
    which must not be used here.
    """
    body = json.dumps({"errorMessage": message, "errorType": error_type, "stackTrace": []})
    headers = {
        "Content-Type": "application/vnd.aws.lambda.error+json",
        "Lambda-Runtime-Function-Error-Type": error_type,
    }

    ended = allocate_lock()
    ended.acquire()

    def post() -> None:
        # The boundary of its thread: the failure is on standard error already, and its exit code must hold.
        with suppress(Exception):
            connection = http.client.HTTPConnection(address, timeout=seconds)
            connection.request("POST", PATH, body.encode(), headers)
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


def _give_up(*_: object) -> None:
    raise TimeoutError
