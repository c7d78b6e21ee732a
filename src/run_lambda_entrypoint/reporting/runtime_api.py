"""The report of a failed start to Lambda, so that the caller and the console see more than Runtime.ExitError."""

from __future__ import annotations

import http.client
import json
from threading import Thread

PATH = "/2018-06-01/runtime/init/error"


def report_failed_init(address: str, message: str, error_type: str, seconds: float = 1.0) -> bool:
    """Posts the failure to the Runtime API at `address` (host:port), within `seconds`; returns whether it succeeded.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, "Initialization error". http.client ignores proxies,
    which must not be used here.
    """
    body = json.dumps({"errorMessage": message, "errorType": error_type, "stackTrace": []})
    headers = {
        "Content-Type": "application/vnd.aws.lambda.error+json",
        "Lambda-Runtime-Function-Error-Type": error_type,
    }
    delivered = []

    def post() -> None:
        try:
            connection = http.client.HTTPConnection(address, timeout=seconds)
            connection.request("POST", PATH, body.encode(), headers)
            delivered.append(connection.getresponse().status < 300)
        except (OSError, ValueError, http.client.HTTPException):
            # The failure itself is on standard error already; that it cannot be posted must not hide it.
            delivered.append(False)

    # A thread, since a timeout on the socket does not bound name resolution.
    thread = Thread(target=post, daemon=True)
    thread.start()
    thread.join(seconds)
    return delivered == [True]
