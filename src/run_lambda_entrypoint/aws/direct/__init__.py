"""The direct transport: HTTP/1.1 over TLS with the standard library alone, for Lambda's ordinary case."""

from __future__ import annotations

from _thread import allocate_lock
from functools import partial
from time import monotonic

from ...errors import NOTHING_SENT, EntrypointError
from ..dial import Dialer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..call import Call, Reply
    from ..credentials import Credentials
    from ..endpoints import Endpoint
    from .exchange import Exchange


class DirectTransport:
    """Sends each call over a connection of its own. `endpoints` has one for the service and Region of each call."""

    def __init__(
        self, environ: Mapping[str, str], credentials: Credentials, endpoints: Mapping[tuple[str, str], Endpoint]
    ) -> None:
        self._environ = environ
        self._credentials = credentials
        self._endpoints = endpoints
        self._dialer = Dialer()
        self._exchange: Exchange
        self._unprepared = allocate_lock()
        self._unprepared.acquire()

    def prepare(self) -> None:
        """Gets ready what `send` needs once it is connected."""
        # Saves the 3 ms of _ssl and _hashlib, since other threads connect meanwhile.
        from .exchange import Exchange  # noqa: PLC0415

        self._exchange = Exchange(self._environ, self._credentials, self._endpoints.values(), self._dialer)
        self._unprepared.release()

    def host(self, call: Call) -> str:
        """The host that `call` goes to, for messages."""
        return self._endpoint(call).authority

    def region(self, call: Call) -> str:
        """The Region that `call` goes to: its own."""
        return call.region

    def send(self, call: Call, timeout: float) -> tuple[Reply, int]:
        """Sends `call` once: the reply and its size in bytes. Raises EntrypointError."""
        endpoint = self._endpoint(call)
        reconnect = partial(self._dialer.connect, endpoint.host, endpoint.port, monotonic() + timeout)
        try:
            connection = reconnect()
        except OSError as error:
            raise self._prepared().failed(endpoint, error) from None
        return self._prepared().send(call, endpoint, connection, reconnect)

    def waiting(self, call: Call) -> EntrypointError:
        """Why `call` has no reply yet."""
        if not hasattr(self, "_exchange"):  # not prepared yet
            return EntrypointError(NOTHING_SENT, "nothing was sent; use more memory or a longer timeout")
        return self._exchange.waiting(call, self._endpoint(call))

    def _endpoint(self, call: Call) -> Endpoint:
        return self._endpoints[call.service.name, call.region]

    def _prepared(self) -> Exchange:
        with self._unprepared:
            return self._exchange
