"""TLS for the direct transport: 1.2 or later, certificate and hostname checked, one trust store after another."""

from __future__ import annotations

import ssl
from _thread import allocate_lock

from .. import classify, trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from socket import socket

    from ...errors import EntrypointError
    from ..endpoints import Endpoint


class Tls:
    """Makes connections secure; `environ` says which certificates are trusted. A store is loaded once, on first use."""

    def __init__(self, environ: Mapping[str, str], *, amazon: bool) -> None:
        self._environ = environ
        self._contexts: dict[str, ssl.SSLContext | None] = {}
        self._lock = allocate_lock()
        self._context(trust.stores(environ, amazon=amazon)[0])  # while others are still connecting

    def secured(self, endpoint: Endpoint, connection: socket, reconnect: Callable[[], socket]) -> ssl.SSLSocket:
        """`connection` after the handshake, or another that `reconnect` makes. Raises EntrypointError, OSError."""
        tried: list[str] = []
        stores = trust.stores(self._environ, amazon=endpoint.amazon)
        failure: EntrypointError = trust.unreadable(stores)
        for store in stores:
            context = self._context(store)
            if context is None:
                continue
            if tried:
                connection = reconnect()
            try:
                # The name as bytes: text would be encoded as IDNA, which imports 2 ms of stringprep.
                return context.wrap_socket(
                    connection, server_hostname=endpoint.host.encode(), suppress_ragged_eofs=False
                )
            except ssl.SSLCertVerificationError as error:
                tried.append(store.name)
                failure = classify.connection_error(endpoint.authority, error, tried)
                if error.verify_code not in classify.UNKNOWN_ISSUER:
                    break
        raise failure

    def _context(self, store: trust.Store) -> ssl.SSLContext | None:
        """What trusts the certificates of a store; None for a store without any."""
        with self._lock:
            if store.name not in self._contexts:
                self._contexts[store.name] = trust.context(store.read())
            return self._contexts[store.name]
