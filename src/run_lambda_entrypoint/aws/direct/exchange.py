"""One request and its reply: signed, encrypted, written, read."""

from __future__ import annotations

from io import BufferedReader
from time import time

from ... import __version__
from ...native import json, sockets
from .. import classify, replies
from . import http, sigv4
from .tls import Tls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ...errors import EntrypointError
    from ...native.sockets import Connection, Socket
    from ..call import Call, Reply
    from ..credentials import Credentials
    from ..dial import Dialer
    from ..endpoints import Endpoint

CONTENT_TYPE = "application/x-amz-json-1.1"


class Exchange:
    """Sends calls with these credentials; `environ` says which certificates are trusted. `sent` has the calls whose
    requests were written."""

    def __init__(
        self, environ: Mapping[str, str], credentials: Credentials, endpoints: Collection[Endpoint], dialer: Dialer
    ) -> None:
        self._credentials = credentials
        self._dialer = dialer
        self.sent: set[Call] = set()
        secure = [endpoint for endpoint in endpoints if endpoint.secure]
        if secure:
            self._tls = Tls(environ, amazon=any(endpoint.amazon for endpoint in secure))

    def send(
        self, call: Call, endpoint: Endpoint, connected: Socket, reconnect: Callable[[], Socket]
    ) -> tuple[Reply, int]:
        """The reply to `call`, and its size, over `connected` or another that `reconnect` makes; closes it.

        Raises EntrypointError.
        """
        try:
            with self._stream(endpoint, connected, reconnect) as connection:
                # One write: two would stall on Nagle's algorithm and delayed ACKs.
                connection.send_all(self._request(call, endpoint))
                self.sent.add(call)
                status, headers, body = http.read_reply(BufferedReader(connection), replies.MAX_SIZE + 1)
        except (EOFError, OSError, ValueError) as error:
            raise self.failed(endpoint, error, sent=call in self.sent) from None
        finally:
            connected.close()
        return replies.read(endpoint.authority, status, headers, body), len(body)

    def failed(self, endpoint: Endpoint, error: Exception, *, sent: bool = False) -> EntrypointError:
        """What it means that an exchange ended in `error`."""
        self._dialer.forget(endpoint.host)
        return classify.connection_error(endpoint.authority, error, sent=sent)

    def waiting(self, call: Call, endpoint: Endpoint) -> EntrypointError:
        """Why `call` has no reply yet."""
        return classify.no_answer(endpoint.authority, sent=call in self.sent)

    def _stream(self, endpoint: Endpoint, connected: Socket, reconnect: Callable[[], Socket]) -> Connection:
        return self._tls.secured(endpoint, connected, reconnect) if endpoint.secure else sockets.plain(connected)

    def _request(self, call: Call, endpoint: Endpoint) -> bytes:
        body = json.dumps(call.params).encode()
        headers = {
            "Host": endpoint.authority,
            "Content-Type": CONTENT_TYPE,
            "X-Amz-Target": f"{call.service.target}.{call.operation}",
        }
        signed = sigv4.signed(
            "POST",
            endpoint.path,
            headers,
            body,
            credentials=self._credentials,
            region=call.region,
            service=call.service.name,
            time=time(),
        )
        signed["User-Agent"] = f"run-lambda-entrypoint/{__version__}"
        return http.request("POST", endpoint.path, signed, body)
