"""A server on loopback that answers with bytes of the test's own, misbehaves on request, and keeps what arrived.

Raw sockets, since no HTTP server can be talked into a reply that is truncated, framed wrongly or missing.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from threading import Thread
from typing import Any, NamedTuple

from tests.harness.process import wait_until

KEEP, CLOSE, RESET, MUTE, DRIP = "keep", "close", "reset", "mute", "drip"
"""What happens to a connection after a reply: nothing, an orderly end, an abrupt one, silence, or one byte a second."""

JSON = "application/x-amz-json-1.1"


class Request(NamedTuple):
    """What arrived; names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def region(self) -> str:
        """The Region in the credential scope of an AWS signature (version 4)."""
        scope = self.headers["authorization"].partition("Credential=")[2].partition(",")[0]
        return scope.split("/")[2]

    @property
    def operation(self) -> str:
        """For instance GetSecretValue."""
        return self.headers["x-amz-target"].rpartition(".")[2]


class Reply(NamedTuple):
    """The bytes that are sent, as they are, and what happens `then`."""

    raw: bytes
    then: str = KEEP

    def cut(self, kept: int, then: str = CLOSE) -> Reply:
        """Only the first `kept` bytes (from the end, if negative), and the end of the connection."""
        return Reply(self.raw[:kept], then)

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]


Answer = Callable[[Request], Reply]
Handler = Callable[[socket.socket], None]


class Server(NamedTuple):
    host: str
    port: int
    scheme: str
    requests: list[Request]
    """What arrived so far."""

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.address}"


def head(status: int, *headers: str) -> bytes:
    """The part of a reply before its body."""
    return "\r\n".join([f"HTTP/1.1 {status} Reason", f"Content-Type: {JSON}", *headers, "", ""]).encode()


def by_length(body: bytes, status: int = 200, *headers: str) -> Reply:
    """A reply whose body is framed by Content-Length."""
    return Reply(head(status, f"Content-Length: {len(body)}", *headers) + body)


def by_chunks(body: bytes, size: int = 7, *, extension: str = "", trailer: str = "") -> Reply:
    """A reply whose body is framed in chunks of `size` bytes."""
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    framed = b"".join(f"{len(chunk):X}{extension}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    return Reply(head(200, "Transfer-Encoding: chunked") + framed + f"0{extension}\r\n{trailer}\r\n".encode())


def by_close(body: bytes) -> Reply:
    """A reply whose body ends with the connection."""
    return Reply(head(200, "Connection: close") + body, CLOSE)


def arn(name: str, region: str = "eu-west-1") -> str:
    """The ARN of the secret `name`."""
    return f"arn:aws:secretsmanager:{region}:123456789012:secret:{name}-AbCdEf"


def secret_body(name: str = "name", region: str = "eu-west-1", **fields: object) -> bytes:
    """The body of Secrets Manager's reply with `fields`, for a secret that was requested by its name or ARN."""
    full = name if name.startswith("arn:") else arn(name, region)
    return json.dumps({"ARN": full, "Name": name, **fields}).encode()


def secret(text: str, name: str = "name", region: str = "eu-west-1") -> Reply:
    """Secrets Manager's reply with `text`, for a secret that was requested by its name or ARN."""
    return by_length(secret_body(name, region, SecretString=text))


def error(status: int, code: str, message: str = "") -> Reply:
    """A service's error in AWS's JSON 1.1 protocol."""
    return by_length(json.dumps({"__type": code, "message": message}).encode(), status)


def secrets(texts: Mapping[str, str]) -> Answer:
    """Answers like Secrets Manager with the text of the requested secret."""
    return lambda request: secret(texts[request.json["SecretId"]], request.json["SecretId"], request.region)


@contextmanager
def http_server(
    answer: Answer, port: int = 0, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[Server]:
    """Serves on `host`, over TLS where `tls` is given, on a free port unless one is given, until the context ends."""
    requests: list[Request] = []

    def serve(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) if tls else connection as wrapped:
            while (request := _request(wrapped)) is not None:
                requests.append(request)
                reply = answer(request)
                wrapped.sendall(reply.raw)
                _then(wrapped, reply.then)
                if reply.then != KEEP:
                    return

    with listening(serve, host, port) as listened:
        yield Server(host, listened, "https" if tls else "http", requests)


def _then(connection: socket.socket, then: str) -> None:
    if then == MUTE:
        silent(connection)
    if then == DRIP:
        dripping(connection)
    if then == RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if then == CLOSE and isinstance(connection, ssl.SSLSocket):
        connection.unwrap()


def silent(connection: socket.socket) -> None:
    """Handles a connection by not answering for as long as the other side stays."""
    while connection.recv(65_536):
        continue


def dripping(connection: socket.socket, seconds: float = 1.0) -> None:
    """Handles a connection by sending one byte every `seconds` for as long as the other side stays."""
    connection.settimeout(seconds)
    while True:
        try:
            if not connection.recv(65_536):
                return
        except TimeoutError:
            connection.sendall(b" ")


@contextmanager
def listening(handle: Handler, host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Gives each connection to `handle` in a thread of its own, until the context ends; yields the port.

    The threads end with their connections: whoever connected must be gone when the context ends.
    """
    threads: list[Thread] = []

    def attend(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the other side may leave at any time
            handle(connection)

    def accept() -> None:
        with suppress(OSError):  # the listener was shut down
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threads.append(Thread(target=attend, args=[connection], daemon=True))
                threads[-1].start()

    with socket.create_server((host, port), family=_family(host), backlog=128) as listener:
        accepting = Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()


@contextmanager
def black_hole(*hosts: str, port: int = 0) -> Iterator[int]:
    """A port that answers no SYN on any of `hosts` (127.0.0.1 if there are none): nobody accepts and the queue is full,
    so the kernel drops every further one (listen(2))."""
    with ExitStack() as stack:

        def filled(listener: socket.socket) -> bool:
            """Connects once more: where the address is new, the first attempts may never find their way."""
            waiting = stack.enter_context(socket.socket(listener.family))
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
            return _queued(listener) > 0

        for host in hosts or ["127.0.0.1"]:
            listener = stack.enter_context(socket.create_server((host, port), family=_family(host), backlog=0))
            port = listener.getsockname()[1]
            wait_until(partial(filled, listener), what=f"a full queue at {host}")
        yield port


def _queued(listener: socket.socket) -> int:
    """How many connections wait to be accepted: tcpi_unacked, which for a listener is that (linux/tcp.h)."""
    info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28)
    return int.from_bytes(info[24:28], sys.byteorder)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _request(connection: socket.socket) -> Request | None:
    """The next request on a connection, None at its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += (received := connection.recv(65_536))
        if not received:
            return None
    top, _, body = data.partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += (received := connection.recv(65_536))
        if not received:
            return None
    return Request(method, path, headers, body)
