"""A server of TLS that stops at a chosen phase of an exchange, and what it does then."""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.harness.http_server import silent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.harness.http_server import Handler

PHASES = ("accepted", "hello", "flight", "handshake", "reply", "end")
"""After accept; after the client's first message; in the middle of the server's; after the handshake; in the middle of
the reply; after the reply and TLS's own end."""

HANDSHAKE_FAILURE = b"\x15\x03\x03\x00\x02\x02\x28"  # a fatal alert (RFC 8446, 6)
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def end(connection: socket.socket) -> None:
    """The end of the stream, without any of TLS."""
    connection.shutdown(socket.SHUT_WR)
    silent(connection)  # unread bytes would make a reset of it


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def alert(connection: socket.socket) -> None:
    connection.sendall(HANDSHAKE_FAILURE)
    end(connection)


def plain(connection: socket.socket) -> None:
    """A reply without TLS."""
    connection.sendall(PLAIN)
    end(connection)


def serving(tls: ssl.SSLContext, size: int, phase: str, then: Callable[[socket.socket], None]) -> Handler:
    """Replies with `size` bytes to a line, and does `then` at the phase."""

    def handle(connection: socket.socket) -> None:
        session = _Session(connection, tls)
        for each in PHASES:
            if each == phase:
                then(connection)
                return
            getattr(session, f"after_{each}")(size)

    return handle


class _Session:
    def __init__(self, connection: socket.socket, tls: ssl.SSLContext) -> None:
        self._connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def after_accepted(self, _: int) -> None:
        self._receive()

    def after_hello(self, _: int) -> None:
        with suppress(ssl.SSLWantReadError):
            self._handshake()
        self._send_half()

    def after_flight(self, _: int) -> None:
        self._send_rest()
        while True:
            self._receive()
            try:
                self._handshake()
            except ssl.SSLWantReadError:
                continue
            self._send_rest()
            return

    def _handshake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            raise
        except ssl.SSLError:
            self._send_rest()  # the alert that says why
            end(self._connection)
            raise

    def after_handshake(self, size: int) -> None:
        last = b""
        while not last.endswith(b"\n"):
            try:
                last = self._tls.read(65_536)
            except ssl.SSLWantReadError:
                self._receive()
        while size:
            size -= self._tls.write(b"." * size)
        self._send_half()

    def after_reply(self, _: int) -> None:
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._send_rest()

    def _receive(self) -> None:
        data = self._connection.recv(65_536)
        if not data:
            raise ConnectionAbortedError
        self._incoming.write(data)

    def _send_half(self) -> None:
        self._connection.sendall(self._outgoing.read(self._outgoing.pending // 2))

    def _send_rest(self) -> None:
        self._connection.sendall(self._outgoing.read())
