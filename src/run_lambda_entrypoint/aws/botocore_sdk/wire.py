"""What botocore has on the wire: to whom it talks, whether the request was sent, and what came of it.

Its exceptions do not say: most have lost the host, some quote the reply, and while there is none there is no exception.
"""

from __future__ import annotations

import os
from threading import local

from botocore.awsrequest import AWSConnection, AWSResponse
from botocore.httpsession import URLLib3Session
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from .. import replies
from ..choose import in_any_case

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .stopwatch import Stopwatch

_SEND = URLLib3Session.send
_REQUEST = AWSConnection.request
_thread = local()

INVALID = "an invalid URL"


class Exchange:
    """The last request of a call, or of what provides its credentials, and the reply; `starting` pauses meanwhile.

    `host` is "" before the first one, `status` 0 without a reply; `error` is why there is none. `proxy` is the proxy
    that it goes through, "" for none, and `proxy_variable` what names that. `provider` is botocore's name for the
    source of credentials that was asked last.
    """

    def __init__(self, starting: Stopwatch | None = None) -> None:
        self._starting = starting
        self.host = self.proxy = self.proxy_variable = self.provider = ""
        self.active = self.sent = False
        self.status = 0
        self.error: Exception | None = None

    @property
    def name(self) -> str:
        """The host, and what it is for."""
        return f"{self.host} (source of the credentials)" if self.host and self.is_for_credentials else self.host

    @property
    def proxy_name(self) -> str:
        """The proxy, and what names it; "" if there is none."""
        return self.proxy and f"{self.proxy} (the proxy that {self.proxy_variable} names)"

    @property
    def is_for_credentials(self) -> bool:
        """Whether it is with what provides the credentials."""
        return self._starting is not None

    def begin(self, host: str, proxy: str = "", variable: str = "") -> None:
        """From here on `host` has to answer, through a proxy if there is one."""
        self.sent, self.status, self.error = False, 0, None
        self.proxy, self.proxy_variable = proxy, variable
        self.host, self.active = host, True
        if self._starting:
            self._starting.stop()

    def end(self) -> None:
        """`host` has answered, or never will."""
        self.active = False
        if self._starting:
            self._starting.start()


def watch() -> None:
    """Makes botocore note in this thread's exchange what it does."""
    URLLib3Session.send = _send  # type: ignore[method-assign,assignment]
    AWSConnection.request = _request  # type: ignore[method-assign,assignment]
    AWSResponse.content = property(_content)  # type: ignore[method-assign,assignment]


def follow(exchange: Exchange) -> None:
    """What this thread does next belongs to `exchange`."""
    _thread.exchange = exchange


def current() -> Exchange:
    """This thread's exchange."""
    exchange: Exchange = getattr(_thread, "exchange", None) or Exchange()
    return exchange


def authority(url: str, *, of_proxy: bool = False) -> str:
    """Host and port of `url`, and no other part of it: userinfo, path and query may be a secret."""
    try:
        parsed = parse_url(url)
    except LocationParseError:
        return INVALID
    rest = f"{parsed.path}{parsed.query}{parsed.fragment}"
    # A password with a character that ends the authority, or what botocore makes of "socks5://HOST": it adds http://.
    if of_proxy and ("@" in rest or "//" in rest):
        return INVALID
    return parsed.netloc or INVALID


def _send(session: URLLib3Session, request: Any) -> Any:
    exchange = current()
    proxy = session._proxy_config.proxy_url_for(request.url)  # type: ignore[attr-defined]
    variable = in_any_case(os.environ, f"{request.url.partition(':')[0].lower()}_proxy")
    exchange.begin(authority(request.url), authority(proxy, of_proxy=True) if proxy else "", variable)
    try:
        response = _SEND(session, request)
        exchange.status = response.status_code
    except Exception as error:
        exchange.error = error
        raise
    finally:
        exchange.end()
    return response


def _content(response: Any) -> bytes:
    """The body, of one that is too large the beginning: botocore would read all of it into memory."""
    if response._content is None:
        body = bytearray()
        for part in response.raw.stream():
            body += part
            if len(body) > replies.MAX_SIZE:
                response.raw.close()
                break
        response._content = bytes(body)
    return bytes(response._content)


def _request(connection: AWSConnection, *arguments: Any, **named: Any) -> Any:
    sent = _REQUEST(connection, *arguments, **named)
    current().sent = True
    return sent
