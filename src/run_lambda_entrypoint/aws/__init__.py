"""One call to AWS: service, operation, parameters, region in, reply out."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    Reply = dict[str, Any]


class Call:
    """A request that does not depend on how it is sent. `region` None means the function's own."""

    __slots__ = ("operation", "parameters", "region", "service")

    def __init__(self, service: str, operation: str, parameters: dict[str, Any], region: str | None) -> None:
        self.service = service
        self.operation = operation
        self.parameters = parameters
        self.region = region

    def __str__(self) -> str:
        return f"{self.operation} {' '.join(map(str, self.parameters.values()))}"

    def next(self, token: str) -> Call:
        """The call for the page behind the one that ended with `token`."""
        return Call(self.service, self.operation, {**self.parameters, "NextToken": token}, self.region)

    @staticmethod
    def joined(pages: list[Reply]) -> Reply:
        """One reply with the lists of all pages."""
        whole = dict(pages[0])
        for page in pages[1:]:
            for name, part in page.items():
                if isinstance(part, list) and isinstance(whole.get(name), list):
                    whole[name] = whole[name] + part
        return whole


if TYPE_CHECKING:

    class Transport(Protocol):
        """A way to send calls. All raise EntrypointError only; a FetchError says whether asking again may help."""

        def prepare(self) -> None:
            """What is left to do while the threads are already in `send`."""

        def send(self, call: Call, seconds: float) -> Reply:
            """Sends `call`, once, in about `seconds` at most."""

        def host(self, call: Call) -> str:
            """Whom `call` asks, for messages."""
