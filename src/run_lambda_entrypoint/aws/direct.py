"""The direct transport: HTTP/1.1 over TLS with the standard library alone, for Lambda's ordinary case.

http.client would do, but imports email: 8 ms of every cold start.
"""

from __future__ import annotations

import json
import socket
from _thread import allocate_lock
from time import monotonic, time

from .. import __version__
from . import replies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from . import Call, Reply
    from .endpoints import Endpoint
    from .sigv4 import Credentials

CONNECT_SECONDS = 2.0
TARGETS = {"secretsmanager": "secretsmanager", "ssm": "AmazonSSM"}
LONGEST_LINE = 16_384
MOST_HEADERS = 100
LONGEST_NUMBER = 16
DIGITS = {10: frozenset("0123456789"), 16: frozenset("0123456789abcdefABCDEF")}


class DirectTransport:
    """Sends each call over a connection of its own.

    `endpoints` has an endpoint for the service and region of each call; `region` is the function's own.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        credentials: Credentials,
        region: str,
        endpoints: Mapping[tuple[str, str], Endpoint],
    ) -> None:
        self._environ = environ
        self._credentials = credentials
        self._region = region
        self._endpoints = endpoints
        self._unprepared = allocate_lock()
        self._unprepared.acquire()

    def prepare(self) -> None:
        """Imports the rest while the threads resolve names and connect: an import in a thread might deadlock."""
        from . import faults, sigv4

        self._faults, self._sigv4 = faults, sigv4
        secure = [endpoint for endpoint in self._endpoints.values() if endpoint.secure]
        if secure:
            from .tls import Tls

            self._tls = Tls(self._environ, amazon=any(endpoint.amazon for endpoint in secure))
        self._unprepared.release()

    def host(self, call: Call) -> str:
        """Whom `call` asks, for messages."""
        return self._endpoint(call).authority

    def send(self, call: Call, seconds: float) -> Reply:
        """Sends `call` once. Raises FetchError."""
        endpoint = self._endpoint(call)
        deadline = monotonic() + seconds
        try:
            with self._connection(endpoint, lambda: _connect(endpoint, deadline)) as connection:
                # In one piece: two would wait for each other (Nagle's algorithm, delayed acknowledgement).
                connection.sendall(self._request(call, endpoint))
                with connection.makefile("rb") as stream:
                    status, headers, body = _receive(stream)
        except EOFError:
            raise self._faults.cut(endpoint.authority) from None
        except OSError as error:
            self._await_prepared()
            raise self._faults.network(endpoint.authority, error) from None
        except ValueError:
            raise self._faults.no_http(endpoint.authority) from None
        return replies.read(endpoint.authority, status, headers, body)

    def _endpoint(self, call: Call) -> Endpoint:
        return self._endpoints[call.service, call.region or self._region]

    def _await_prepared(self) -> None:
        with self._unprepared:
            pass

    def _connection(self, endpoint: Endpoint, connect: Callable[[], socket.socket]) -> socket.socket:
        connection = connect()
        self._await_prepared()
        return self._tls.secured(endpoint, connection, connect) if endpoint.secure else connection

    def _request(self, call: Call, endpoint: Endpoint) -> bytes:
        body = json.dumps(call.parameters).encode()
        headers = self._sigv4.signed(
            "POST",
            endpoint.path,
            {
                "Host": endpoint.authority,
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"{TARGETS[call.service]}.{call.operation}",
            },
            body,
            credentials=self._credentials,
            region=call.region or self._region,
            service=call.service,
            time=time(),
        )
        headers["User-Agent"] = f"run-lambda-entrypoint/{__version__}"
        headers["Content-Length"] = str(len(body))
        headers["Connection"] = "close"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {endpoint.path} HTTP/1.1\r\n{head}\r\n".encode() + body


def _connect(endpoint: Endpoint, deadline: float) -> socket.socket:
    """Connects to the first address that answers, IPv6 or IPv4 in the resolver's order."""
    # The host as bytes: of text Python would make IDNA, which imports 2 ms of stringprep.
    address = (endpoint.host.encode(), endpoint.port)
    seconds = min(CONNECT_SECONDS, max(0.001, deadline - monotonic()))
    connection = socket.create_connection(address, seconds)  # type: ignore[arg-type]
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(max(0.001, deadline - monotonic()))
    return connection


def _receive(stream: BinaryIO) -> tuple[int, dict[str, str], bytes]:
    """One HTTP/1.1 reply: status, headers with names in lower case, body.

    Raises EOFError where the reply is cut short, ValueError where it is no HTTP, OSError.
    """
    status = 100
    while 100 <= status < 200:  # RFC 9110, 15.2: any number of these may come before the reply
        version, code, *_ = _line(stream).split(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError
        status = _number(code, 10)
        headers = _headers(stream)
    return status, headers, _body(stream, headers)


def _headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    while line := _line(stream):
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        # RFC 9112, 6.3: two lengths are no length.
        if len(headers) == MOST_HEADERS or (name == "content-length" and headers.get(name, value) != value):
            raise ValueError
        headers[name] = value
    return headers


def _body(stream: BinaryIO, headers: Mapping[str, str]) -> bytes:
    """The body as framed by chunks, by length, or by the connection's end; of one over the limit the start."""
    most = replies.SIZE_LIMIT + 1
    if headers.get("transfer-encoding", "").lower().split(",")[-1].strip() != "chunked":
        length = headers.get("content-length")
        return stream.read(most) if length is None else _exactly(stream, min(most, _number(length, 10)))
    body = b""
    while len(body) < most and (size := _number(_line(stream).partition(";")[0].strip(), 16)):
        body += _exactly(stream, min(most, size))
        if size < most and _line(stream):
            raise ValueError
    return body


def _number(text: str, base: int) -> int:
    """int() alone would take "-1", "+1", "1_000" and "0x1"."""
    if not text or len(text) > LONGEST_NUMBER or not DIGITS[base].issuperset(text):
        raise ValueError
    return int(text, base)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _line(stream: BinaryIO) -> str:
    line = stream.readline(LONGEST_LINE)
    if len(line) == LONGEST_LINE:
        raise ValueError
    if not line.endswith(b"\n"):
        raise EOFError
    return line.decode("latin-1").rstrip("\r\n")
