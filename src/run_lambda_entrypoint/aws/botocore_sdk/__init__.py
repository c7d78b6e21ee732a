"""The botocore transport: profiles, SSO, web identity, container credentials, proxies and all else."""

from __future__ import annotations

from _thread import allocate_lock
from time import monotonic

from ...errors import NOTHING_SENT, EntrypointError
from ...memory import require
from .. import classify
from .stopwatch import Stopwatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..call import Call, Reply
    from ..endpoints import Endpoint


MEMORY = 16_000_000  # bytes, less than botocore takes on any interpreter


class BotocoreTransport:
    """Sends calls through botocore's clients, one for each service and Region.

    `environ` is the function's own environment; `endpoints` are those known without botocore, for messages.
    """

    def __init__(self, environ: Mapping[str, str], endpoints: Mapping[tuple[str, str], Endpoint | None]) -> None:
        self._environ = environ
        self._endpoints = endpoints
        self._created = monotonic()
        self._starting = Stopwatch()
        self._prepared = False
        self._unprepared = allocate_lock()
        self._unprepared.acquire()

    def prepare(self) -> None:
        """Starts botocore. Raises EntrypointError."""
        self._starting.start()
        require(MEMORY)
        # Here and not above: 250 ms in which the thread that keeps the deadline has to be free.
        from .isolation import isolate  # noqa: PLC0415

        isolate()
        from .clients import Clients  # noqa: PLC0415

        self._clients = Clients(self._environ, self._endpoints, self._starting)
        self._starting.stop()
        self._prepared = True
        self._unprepared.release()

    def host(self, call: Call) -> str:
        """The host that `call` goes to, as far as that is known yet."""
        known = self._clients.host(call) if self._prepared else ""
        if known:
            return known
        endpoint = self._endpoints.get((call.service.name, call.region))
        known = endpoint.authority if endpoint else f"{call.service.name} in {call.region or 'an unknown Region'}"
        return f"{known}, or from the source of its credentials"

    def region(self, call: Call) -> str:
        """The Region that `call` goes to, as far as that is known yet."""
        return call.region or (self._clients.region(call) if self._prepared else "")

    def send(self, call: Call, timeout: float) -> tuple[Reply, int]:
        """Sends `call` once: the reply and its size in bytes. Raises EntrypointError."""
        with self._unprepared:
            pass
        return self._clients.send(call, timeout)

    def waiting(self, call: Call) -> EntrypointError:
        """Why `call` has no reply yet."""
        waiting = self._clients.waiting(call) if self._prepared else None
        starting, passed = self._starting.seconds(), monotonic() - self._created
        if self._prepared and starting <= passed / 2:
            return waiting or classify.no_answer(self.host(call), sent=False)
        return EntrypointError(
            NOTHING_SENT,
            f"{waiting or 'nothing was sent'}; {starting:.1f} s went into starting botocore; use more memory or a "
            "longer timeout",
        )
