"""What botocore itself would send: the request of a real client, caught before it leaves."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.awsrequest import AWSPreparedRequest

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "secretsmanager": ("get_secret_value", {"SecretId": "name"}),
    "ssm": ("get_parameters", {"Names": ["name"]}),
}
ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"})


class Sent(NamedTuple):
    """Where a request goes, and for whom it is signed."""

    scheme: str
    host: str
    port: int
    path: str
    region: str
    service: str


class _Caught(Exception):  # noqa: N818 - it is no error
    def __init__(self, request: AWSPreparedRequest) -> None:
        self.request = request


def sent(service: str, region: str, environ: Mapping[str, str]) -> Sent | None:
    """What botocore would send in `environ`, or None where it refuses."""
    # The one session is no state: it reads the environment anew for each client.
    with patch.dict(os.environ, {**environ, "AWS_CONFIG_FILE": "/nonexistent"}, clear=True):
        try:
            client = _session().create_client(
                service, region_name=region, aws_access_key_id="AKID", aws_secret_access_key="secret", config=ONCE
            )
            client.meta.events.register("before-send", _catch)
            operation, parameters = CALLS[service]
            getattr(client, operation)(**parameters)
        except _Caught as caught:
            return _read(caught.request)
        except (BotoCoreError, ValueError):
            return None
    raise AssertionError("nothing was sent")


@cache
def _session() -> Session:
    return Session()


def _catch(request: AWSPreparedRequest, **_: object) -> None:
    raise _Caught(request)


def _read(request: AWSPreparedRequest) -> Sent:
    url = urlsplit(request.url)
    authorization = str(request.headers["Authorization"])
    _, _, region, service, _ = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    port = url.port or {"https": 443, "http": 80}.get(url.scheme, 0)
    return Sent(url.scheme, url.hostname or "", port, url.path, region, service)
