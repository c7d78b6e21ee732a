"""TLS for the direct transport: 1.2 or later, certificate and hostname checked, one trust store after another."""

from __future__ import annotations

from _thread import allocate_lock

from ...native import CertificateError, tls
from .. import classify, trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...errors import EntrypointError
    from ...native.sockets import Connection, Socket
    from ...native.tls import Context
    from ..endpoints import Endpoint


class Tls:
    """Makes connections secure; `environ` says which certificates are trusted. A store is loaded once, on first use."""

    def __init__(self, environ: Mapping[str, str], *, amazon: bool) -> None:
        self._environ = environ
        self._contexts: dict[str, Context | None] = {}
        self._lock = allocate_lock()
        self._context(trust.stores(environ, amazon=amazon)[0])  # while others are still connecting

    def secured(self, endpoint: Endpoint, connected: Socket, reconnect: Callable[[], Socket]) -> Connection:
        """The stream over `connected` after the handshake, or over another that `reconnect` makes.

        Raises EntrypointError, OSError, EOFError.
        """
        tried: list[str] = []
        stores = trust.stores(self._environ, amazon=endpoint.amazon)
        failure: EntrypointError = trust.unreadable(stores)
        for store in stores:
            context = self._context(store)
            if context is None:
                continue
            if tried:
                connected = reconnect()
            try:
                return tls.secure(connected, context, endpoint.host)
            except CertificateError as error:
                tried.append(store.name)
                failure = classify.connection_error(endpoint.authority, error, tried)
                if error.code not in classify.UNKNOWN_ISSUER:
                    break
        raise failure

    def _context(self, store: trust.Store) -> Context | None:
        """What trusts the certificates of a store; None for a store without any."""
        with self._lock:
            if store.name not in self._contexts:
                self._contexts[store.name] = trust.context(store.read())
            return self._contexts[store.name]
