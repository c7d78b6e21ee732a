"""The direct transport: HTTP/1.1 over TLS with the standard library alone, for Lambda's ordinary case.

http.client would do, but imports email: 8 ms of every cold start.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from _thread import allocate_lock

from .. import __version__
from ..errors import FetchError
from . import faults, replies, sigv4, trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

    from . import Call, Reply
    from .endpoints import Endpoint

CONNECT_SECONDS = 2.0
TARGETS = {"secretsmanager": "secretsmanager", "ssm": "AmazonSSM"}
LONGEST_LINE = 16_384
MOST_HEADERS = 100
# X509_V_ERR_*: the issuer is not in this store; another store may have it. Any other error is the certificate's own.
UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21, 27})


class DirectTransport:
    """Sends each call over a connection of its own.

    `endpoints` has an endpoint for the service and region of each call; `region` is the function's own.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        credentials: sigv4.Credentials,
        region: str,
        endpoints: Mapping[tuple[str, str], Endpoint],
    ) -> None:
        self._environ = environ
        self._credentials = credentials
        self._region = region
        self._endpoints = endpoints
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = allocate_lock()

    def host(self, call: Call) -> str:
        """Whom `call` asks, for messages."""
        return self._endpoint(call).authority

    def send(self, call: Call, seconds: float) -> Reply:
        """Sends `call` once. Raises FetchError."""
        endpoint = self._endpoint(call)
        request = self._request(call, endpoint)
        try:
            with self._connection(endpoint, time.monotonic() + seconds) as connection:
                connection.sendall(
                    request
                )  # in one piece: two would wait for each other (Nagle, delayed ACK)
                with connection.makefile("rb") as stream:
                    status, headers, body = _receive(stream, endpoint.authority)
        except OSError as error:
            raise faults.network(endpoint.authority, error) from None
        return replies.read(endpoint.authority, status, headers, body)

    def _endpoint(self, call: Call) -> Endpoint:
        return self._endpoints[call.service, call.region or self._region]

    def _request(self, call: Call, endpoint: Endpoint) -> bytes:
        body = json.dumps(call.parameters).encode()
        headers = sigv4.signed(
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
            time=time.time(),
        )
        headers["User-Agent"] = f"run-lambda-entrypoint/{__version__}"
        headers["Content-Length"] = str(len(body))
        headers["Connection"] = "close"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {endpoint.path} HTTP/1.1\r\n{head}\r\n".encode() + body

    def _connection(self, endpoint: Endpoint, deadline: float) -> socket.socket:
        if not endpoint.secure:
            return _connect(endpoint, deadline)
        tried = []
        for name, read in trust.stores(self._environ, amazon=endpoint.amazon):
            with self._lock:
                context = self._contexts.get(name) or _context(read())
                self._contexts[name] = context
            connection = _connect(endpoint, deadline)
            try:
                # As bytes, like the host above: of text Python would make IDNA, which imports 2 ms of stringprep.
                return context.wrap_socket(
                    connection, server_hostname=endpoint.host.encode(), suppress_ragged_eofs=False
                )
            except ssl.SSLCertVerificationError as error:
                tried.append(name)
                fault = faults.untrusted(endpoint.authority, error, tried)
                if error.verify_code not in UNKNOWN_ISSUER:
                    break
        raise fault


def _connect(endpoint: Endpoint, deadline: float) -> socket.socket:
    """Connects to the first address that answers, IPv6 or IPv4 in the resolver's order."""
    left = max(0.001, deadline - time.monotonic())
    address = (endpoint.host.encode(), endpoint.port)
    connection = socket.create_connection(address, min(CONNECT_SECONDS, left))  # type: ignore[arg-type]
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(max(0.001, deadline - time.monotonic()))
    return connection


def _context(certificates: bytes) -> ssl.SSLContext:
    """TLS 1.2 or later, certificate and host name checked. Not ssl.create_default_context: it loads the system's
    store, 20 to 30 ms."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificates:
        context.load_verify_locations(cadata=certificates.decode("ascii", "ignore"))
    return context


def _receive(stream: BinaryIO, host: str) -> tuple[int, dict[str, str], bytes]:
    """One HTTP/1.1 reply, framed by length, by chunks, or by the connection's end.

    Raises FetchError, OSError.
    """
    try:
        version, status, _ = (_line(stream, host) + "  ").split(" ", 2)
        if not version.startswith("HTTP/1."):
            raise ValueError(version)
        headers: dict[str, str] = {}
        while line := _line(stream, host):
            if len(headers) == MOST_HEADERS:
                raise ValueError(len(headers))
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(status), headers, _body(stream, host, headers)
    except ValueError:
        raise FetchError(
            f"{host} does not answer in HTTP as AWS speaks it; is it the right endpoint?"
        ) from None


def _body(stream: BinaryIO, host: str, headers: Mapping[str, str]) -> bytes:
    most = replies.SIZE_LIMIT + 1  # one byte over is enough to refuse it
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return stream.read(min(most, int(headers["content-length"])) if "content-length" in headers else most)
    body = b""
    while len(body) < most:
        size = int(_line(stream, host).partition(";")[0], 16)
        chunk = stream.read(min(size, most))
        if len(chunk) < min(size, most):
            raise faults.cut(host)
        if not size:
            break
        body += chunk
        _line(stream, host)
    return body


def _line(stream: BinaryIO, host: str) -> str:
    line = stream.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        if len(line) == LONGEST_LINE:
            raise ValueError(len(line))
        raise faults.cut(host)
    return line.decode("latin-1").rstrip("\r\n")
