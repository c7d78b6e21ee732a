"""What AWS's JSON 1.1 protocol answered, whichever transport brought it."""

from __future__ import annotations

import json

from ..errors import FetchError, ServiceError, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from . import Reply

# A secret has at most 64 KiB, which can take 393 kB when every character is escaped.
SIZE_LIMIT = 1_048_576

# The codes that botocore's standard mode takes for throttling, and for another passing fault
# (botocore/retries/standard.py).
THROTTLING = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
TRANSIENT = frozenset({"RequestTimeout", "RequestTimeoutException"})


def read(host: str, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """The reply's JSON object.

    `headers` has names in lower case. Raises ServiceError for an error that AWS reports, FetchError for a reply that
    is none of AWS's; neither ever shows the body, which may hold the secret.
    """
    if len(body) > SIZE_LIMIT:
        raise FetchError(f"the reply of {host} is over {SIZE_LIMIT:,} bytes; no secret is that large")
    chunked = "transfer-encoding" in headers  # which overrides a length (RFC 9112, 6.3)
    length = "" if chunked else headers.get("content-length", "")
    if length.isdecimal() and len(length) < 16 and len(body) < int(length):
        raise FetchError(f"the reply of {host} was cut short", passing=True)
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        reply = None
    if status != 200:
        raise _refusal(host, status, headers, reply if isinstance(reply, dict) else {})
    if not isinstance(reply, dict):
        # Framed by nothing but the connection's end, half an object is most likely a reply cut short.
        unframed = not length and not chunked
        if unframed and reply is None and body[:1] in (b"", b"{"):
            raise FetchError(f"the reply of {host} was cut short", passing=True)
        raise FetchError(
            f"{host} answered with something that is not AWS's JSON; is it the right endpoint, and no proxy?"
        )
    return reply


def _refusal(host: str, status: int, headers: Mapping[str, str], error: Reply) -> FetchError:
    """An error reply (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html, "Operation error")."""
    named = headers.get("x-amzn-errortype") or error.get("__type") or error.get("code")
    code = printable(named.partition(":")[0].rpartition("#")[2], 100) if isinstance(named, str) else ""
    text = error.get("message") or error.get("Message")
    if not code:
        redirected = "; it redirects, so it is not the endpoint itself" if 300 <= status < 400 else ""
        code, text = f"HTTP {status}", f"{host} answered without an error of AWS's{redirected}"
    return refusal(code, text, status, headers.get("date", ""))


def refusal(code: str, text: object, status: int, date: str = "") -> ServiceError:
    """An error that AWS reports, and whether it may pass."""
    throttled = status == 429 or code in THROTTLING
    passing = throttled or status >= 500 or code in TRANSIENT
    message = printable(text, 1000).rstrip(". ") if isinstance(text, str) else ""
    return ServiceError(code, message, passing=passing, throttled=throttled, date=date)
