"""TLS for the direct transport: 1.2 or later, certificate and host name checked, one trust store after another."""

from __future__ import annotations

import ssl
from _thread import allocate_lock

from . import faults, trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from socket import socket

    from ..errors import EntrypointError
    from .endpoints import Endpoint


class Tls:
    """Makes connections secure; `environ` says whom to trust. Each store is loaded once, when it is first needed."""

    def __init__(self, environ: Mapping[str, str], *, amazon: bool) -> None:
        self._environ = environ
        self._contexts: dict[str, ssl.SSLContext | None] = {}
        self._lock = allocate_lock()
        self._context(*trust.stores(environ, amazon=amazon)[0])  # while others are still connecting

    def secured(self, endpoint: Endpoint, connection: socket, connect: Callable[[], socket]) -> ssl.SSLSocket:
        """`connection` after the handshake, or another that `connect` makes. Raises EntrypointError, OSError."""
        tried: list[str] = []
        stores = trust.stores(self._environ, amazon=endpoint.amazon)
        fault: EntrypointError = trust.unreadable(stores)
        for name, read in stores:
            context = self._context(name, read)
            if context is None:
                continue
            if tried:
                connection = connect()
            try:
                # The name as bytes: of text Python would make IDNA, which imports 2 ms of stringprep.
                return context.wrap_socket(
                    connection, server_hostname=endpoint.host.encode(), suppress_ragged_eofs=False
                )
            except ssl.SSLCertVerificationError as error:
                tried.append(name)
                fault = faults.network(endpoint.authority, error, tried)
                if error.verify_code not in faults.UNKNOWN_ISSUER:
                    break
        raise fault

    def _context(self, name: str, read: Callable[[], bytes]) -> ssl.SSLContext | None:
        """What trusts the certificates of a store; None for a store that is empty."""
        with self._lock:
            if name not in self._contexts:
                self._contexts[name] = trust.context(read())
            return self._contexts[name]
