"""Replies of AWS's JSON 1.1 protocol, whichever transport brought them."""

from __future__ import annotations

from ..errors import UNAVAILABLE, EntrypointError
from ..native import json
from ..text import printable
from . import classify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .call import Reply

# A secret has at most 64 KiB, which can take 393 kB when every character is escaped.
MAX_SIZE = 1_048_576  # bytes


def read(host: str, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """The reply's JSON object; `headers` has names in lower case.

    Raises EntrypointError for an error that AWS replies with, and for a reply that is not AWS's; neither ever shows the
    body, which may contain the secret.
    """
    if len(body) > MAX_SIZE:
        raise _not_valid(f"the reply from {host} is larger than {MAX_SIZE:,} bytes; no secret is that large")
    framed, length = _framing(headers)
    if len(body) < length:
        raise classify.truncated(host)
    reply = _parsed(body)
    if status != 200:
        raise _refusal(host, status, headers, reply if isinstance(reply, dict) else {})
    if isinstance(reply, dict):
        return reply
    if reply is None and not framed and body[:1] in (b"", b"{"):  # most likely a truncated reply
        raise classify.truncated(host)
    raise _not_valid(f"{host} returned something that is not AWS's JSON; check that it is the endpoint, not a proxy")


def _framing(headers: Mapping[str, str]) -> tuple[bool, int]:
    """Whether more than the connection's end marks the end of the body, and its length in bytes, 0 if not given."""
    if "transfer-encoding" in headers:  # which overrides a length (RFC 9112, 6.3)
        return True, 0
    length = headers.get("content-length", "")
    return bool(length), int(length) if length.isdecimal() and len(length) < 16 else 0


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _not_valid(message: str) -> EntrypointError:
    return EntrypointError(UNAVAILABLE, message)


def _refusal(host: str, status: int, headers: Mapping[str, str], error: Reply) -> EntrypointError:
    """An error reply (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html, "Operation error")."""
    named = headers.get("x-amzn-errortype") or error.get("__type") or error.get("code")
    code = printable(named.partition(":")[0].rpartition("#")[2], 100) if isinstance(named, str) else ""
    text = error.get("message") or error.get("Message")
    if not code:
        redirected = "; it redirects, so it is not the endpoint itself" if 300 <= status < 400 and status != 304 else ""
        code, text = f"HTTP {status}", f"{host} returned no AWS error code{redirected}"
    return classify.service_error(code, text, status, headers.get("date", ""))
