"""TCP: names, sockets, and connections as streams."""

from __future__ import annotations

from errno import EINPROGRESS
from io import RawIOBase
from posix import strerror

from . import KNOWN, ResolutionError

try:
    if not KNOWN:
        raise ImportError
    from _socket import (
        EAI_NODATA,
        EAI_NONAME,
        IPPROTO_TCP,
        SO_ERROR,
        SOCK_STREAM,
        SOL_SOCKET,
        TCP_NODELAY,
        gaierror,
        getaddrinfo,
        socket,
    )
except ImportError:
    from socket import (  # type: ignore[assignment]
        EAI_NODATA,
        EAI_NONAME,
        IPPROTO_TCP,
        SO_ERROR,
        SOCK_STREAM,
        SOL_SOCKET,
        TCP_NODELAY,
        gaierror,
        getaddrinfo,
        socket,
    )

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Address = tuple[int, int, int, str, Any]  # as socket.getaddrinfo returns it


class Socket(socket):
    """A socket that `_ssl` can refer to weakly."""


class Connection(RawIOBase):
    """A connected `socket` as a stream; `receive` and `send` are the socket's own, or those of a TLS session over it.

    Closes the socket. All methods raise OSError, and EOFError where TLS ended without saying so.
    """

    def __init__(self, socket: socket, receive: Callable[[Any], int], send: Callable[[memoryview], int]) -> None:
        self._socket = socket
        self._receive = receive
        self._send = send

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._receive(buffer)

    def send_all(self, data: bytes) -> None:
        """Writes all of `data`."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._send(rest) :]

    def close(self) -> None:
        self._socket.close()
        super().close()


def plain(connected: Socket) -> Connection:
    """The stream of a connected socket."""
    return Connection(connected, connected.recv_into, connected.send)


def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a host, in the resolver's order. Raises OSError."""
    try:
        # The host as bytes: text would be encoded as IDNA, which imports 2 ms of stringprep.
        return getaddrinfo(host.encode(), port, type=SOCK_STREAM)
    except OSError as error:
        raise translated(error) from None


def connecting(address: Address) -> Socket:
    """A socket that is connecting to `address`, without blocking. Raises OSError."""
    family, kind, protocol, _, target = address
    made = Socket(family, kind, protocol)
    try:
        made.setblocking(False)
        made.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        code = made.connect_ex(target)
        if code not in (0, EINPROGRESS):
            raise OSError(code, strerror(code))
    except OSError:
        made.close()
        raise
    return made


def pending_error(made: Socket) -> OSError | None:
    """Why a socket could not connect, None if it could."""
    code = made.getsockopt(SOL_SOCKET, SO_ERROR)
    return OSError(code, strerror(code)) if code else None


def translated(error: OSError) -> OSError:
    """An error of the standard library as this package raises it."""
    if isinstance(error, gaierror):
        # EAI_AGAIN and the like are transient; that a name does not exist is not.
        return ResolutionError(error.strerror or "unknown reason", final=error.errno in (EAI_NONAME, EAI_NODATA))
    return error
