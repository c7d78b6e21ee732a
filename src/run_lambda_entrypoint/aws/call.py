"""One call to AWS, and what can send it."""

from __future__ import annotations

from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from ..errors import EntrypointError
    from .services import Service

    Reply = dict[str, Any]

CONNECT_TIMEOUT = 2.0  # seconds for an address to answer


class Call(Record):
    """A request that does not depend on how it is sent. `region` is "" if only botocore's configuration has it.

    `result_key` is the list that each page of the reply has (botocore's name for it), "" for a reply without pages.
    """

    service: Service
    operation: str
    params: Mapping[str, Any]
    region: str
    result_key: str = ""

    def __str__(self) -> str:
        return f"{self.operation} {' '.join(map(str, self.params.values()))}"

    def in_region(self, region: str) -> Call:
        """The same call in `region`."""
        return Call(self.service, self.operation, self.params, region, self.result_key)

    def next_page(self, token: str) -> Call:
        """The call for the page after the one that ended with `token`."""
        return Call(self.service, self.operation, {**self.params, "NextToken": token}, self.region, self.result_key)


if TYPE_CHECKING:

    class Transport(Protocol):
        """A way to send calls. All methods raise EntrypointError only."""

        def prepare(self) -> None:
            """What is left to do while other threads are already in `send`, which waits for it."""

        def send(self, call: Call, timeout: float) -> tuple[Reply, int]:
            """Sends `call`, once, in about `timeout` seconds at most. The reply, and its size in bytes."""

        def host(self, call: Call) -> str:
            """The host that `call` goes to, for messages."""

        def region(self, call: Call) -> str:
            """The Region that `call` goes to, as far as that is known yet."""

        def waiting(self, call: Call) -> EntrypointError:
            """Why `call` has no reply yet: what it waits for, and whether its request was sent."""
