"""Connections to an endpoint."""

from __future__ import annotations

import socket
from time import monotonic

from ..call import CONNECT_TIMEOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..endpoints import Endpoint


def connect(endpoint: Endpoint, deadline: float) -> socket.socket:
    """Connects to the first address that answers, IPv6 or IPv4 in the resolver's order; `deadline` is a time of
    time.monotonic(). Raises OSError."""
    # The host as bytes: text would be encoded as IDNA, which imports 2 ms of stringprep.
    address = (endpoint.host.encode(), endpoint.port)
    timeout = min(CONNECT_TIMEOUT, max(0.001, deadline - monotonic()))
    connection = socket.create_connection(address, timeout)  # type: ignore[arg-type]
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(max(0.001, deadline - monotonic()))
    return connection
