"""botocore's clients, one for each service and Region, and a call over one of them."""

from __future__ import annotations

from functools import partial
from threading import Lock

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from ...errors import misconfigured
from .. import classify, replies, trust
from ..dial import Dialer
from . import exceptions, session, sources, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...errors import EntrypointError
    from ..call import Call, Reply
    from ..endpoints import Endpoint
    from .stopwatch import Stopwatch

# What botocore raises, and what escapes from it where a file or a reply has not the form that it expects. The texts of
# the latter may quote it.
RAISED = (BotoCoreError, ClientError, OSError)
ESCAPED = (ArithmeticError, AttributeError, LookupError, ResponseParserError, RuntimeError, TypeError, ValueError)


class Clients:
    """Makes the clients that are needed. `starting` measures what that takes. Raises EntrypointError."""

    def __init__(
        self, environ: Mapping[str, str], endpoints: Mapping[tuple[str, str], Endpoint | None], starting: Stopwatch
    ) -> None:
        self._environ = environ
        self._endpoints = endpoints
        self._starting = starting
        self._clients: dict[tuple[str, str], Any] = {}
        self._exchanges: dict[Call, wire.Exchange] = {}
        self._credentials = wire.Exchange(starting)
        self._lock = Lock()
        self._dialer = Dialer()
        try:
            self._session, self._ca_bundle = session.create(environ, self._dialer)
        except (*RAISED, *ESCAPED) as error:
            raise exceptions.explained(error, wire.Exchange(), environ) from None

    def host(self, call: Call) -> str:
        """The host of the client for `call`, "" where there is none yet."""
        client = self._clients.get((call.service.name, call.region))
        return wire.authority(client.meta.endpoint_url) if client else ""

    def region(self, call: Call) -> str:
        """The Region of the client for `call`, "" where there is none yet."""
        client = self._clients.get((call.service.name, call.region))
        return str(client.meta.region_name) if client else ""

    def waiting(self, call: Call) -> EntrypointError | None:
        """Why `call` has no reply yet, None while botocore starts."""
        exchange = self._exchanges.get(call)
        if exchange and not exchange.host:
            return classify.no_answer(self.host(call), sent=False)
        if exchange or self._credentials.active:
            return exceptions.no_answer(exchange or self._credentials)
        return None

    def send(self, call: Call, timeout: float) -> tuple[Reply, int]:
        """The reply to `call`, and its size in bytes."""
        with self._lock:  # sessions are not made for threads, and one look-up of credentials serves all
            client = self._client(call, timeout)
        exchange = self._exchanges[call] = wire.Exchange()
        wire.follow(exchange)
        try:
            found: tuple[Reply, int] = getattr(client, xform_name(call.operation))(**call.params)["reply"]
        except (*RAISED, *ESCAPED) as error:
            self._dialer.forget()
            endpoint = self._endpoints.get((call.service.name, call.region))
            raise self._explained(error, exchange, amazon=endpoint is not None and endpoint.amazon) from None
        finally:
            del self._exchanges[call]
        return found

    def _client(self, call: Call, timeout: float) -> Any:
        key = (call.service.name, call.region)
        if key not in self._clients:
            self._starting.start()
            try:
                self._await_credentials()
                self._clients[key] = self._create(call, timeout)
            finally:
                self._starting.stop()
        return self._clients[key]

    def _await_credentials(self) -> None:
        self._credentials = wire.Exchange(self._starting)
        wire.follow(self._credentials)
        try:
            credentials = self._session.get_credentials()
            if credentials:
                sources.check(credentials, self._credentials, self._environ)
        except (*RAISED, *ESCAPED) as error:
            self._dialer.forget()
            raise self._explained(error, self._credentials) from None

    def _create(self, call: Call, timeout: float) -> Any:
        wire.follow(wire.Exchange())
        service: Any = call.service.name  # that mypy knows no client of
        try:
            client = self._session.create_client(
                service, region_name=call.region or None, config=Config(read_timeout=timeout)
            )
        except RAISED as error:
            raise self._explained(error, wire.current()) from None
        except ValueError:  # botocore's word for a URL that it cannot use
            raise exceptions.invalid_endpoint(call.service, self._environ) from None
        except ESCAPED as error:
            if isinstance(self._session.get_config_variable("api_versions"), str):  # not a section
                raise misconfigured("the profile's api_versions is not valid; remove it") from None
            raise self._explained(error, wire.current()) from None
        host = wire.authority(client.meta.endpoint_url)
        if host == wire.INVALID:
            raise exceptions.invalid_endpoint(call.service, self._environ)
        client.meta.events.register("before-parse", partial(_read, host))
        return client

    def _explained(self, error: Exception, exchange: wire.Exchange, *, amazon: bool = False) -> EntrypointError:
        stores = trust.stores(self._environ, amazon=amazon, ca_bundle=self._ca_bundle)
        return exceptions.explained(error, exchange, self._environ, stores)


def _read(host: str, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Handler of "before-parse": reads the reply as the direct transport does, so that both report alike.
    botocore's own parser would take a truncated reply for an empty one, and shows the body where it cannot parse it."""
    headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    status, body = response_dict["status_code"], response_dict["body"]
    customized_response_dict["reply"] = (replies.read(host, status, headers, body), len(body))
    response_dict["body"] = b"{}"  # botocore's parser must not fail on what ours has read
