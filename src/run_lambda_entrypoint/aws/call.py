"""One call to AWS, and what can send it."""

from __future__ import annotations

from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from .services import Service

    Reply = dict[str, Any]

CONNECT_TIMEOUT = 2.0  # seconds for an address to answer


class Call(Record):
    """A request that does not depend on how it is sent. `region` is "" if only botocore's configuration has it."""

    service: Service
    operation: str
    params: Mapping[str, Any]
    region: str

    def __str__(self) -> str:
        return f"{self.operation} {' '.join(map(str, self.params.values()))}"

    def next_page(self, token: str) -> Call:
        """The call for the page after the one that ended with `token`."""
        return Call(self.service, self.operation, {**self.params, "NextToken": token}, self.region)


if TYPE_CHECKING:

    class Transport(Protocol):
        """A way to send calls. All methods raise EntrypointError only."""

        def prepare(self) -> None:
            """What is left to do while the threads are already in `send`."""

        def send(self, call: Call, timeout: float) -> Reply:
            """Sends `call`, once, in about `timeout` seconds at most."""

        def host(self, call: Call) -> str:
            """The host that `call` goes to, for messages."""
