"""The botocore transport: profiles, SSO, web identity, container credentials, proxies and all else."""

from __future__ import annotations

import os
import pkgutil
from functools import partial
from importlib.resources import files
from json import loads
from threading import Lock

import botocore.utils
from botocore import exceptions
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from .. import __version__
from ..errors import ConfigurationError, EntrypointError, ServiceError, printable
from . import faults, replies, trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from . import Call, Reply

CONNECT_SECONDS = 2.0
METHODS = {"GetSecretValue": "get_secret_value"}

# Errors whose texts tell about configuration and hold no part of a file's content. Of all others only the name is
# shown: a parser's message may quote the line with the key on it.
TELLING = (
    exceptions.ConfigNotFound,
    exceptions.CredentialRetrievalError,
    exceptions.InvalidConfigError,
    exceptions.InvalidRegionError,
    exceptions.LoginError,
    exceptions.MissingDependencyException,
    exceptions.PartialCredentialsError,
    exceptions.ProfileNotFound,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
    exceptions.UnsupportedSignatureVersionError,
)
PASSING = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.MetadataRetrievalError)


class BotocoreTransport:
    """Sends calls through botocore's clients, one for each service and region.

    `environ` is the function's own environment, `region` its own region, "" where that has to be read in botocore's
    configuration files (botocore itself does not know AWS_REGION).
    """

    def __init__(self, environ: Mapping[str, str], region: str) -> None:
        _isolate()
        self._environ = environ
        self._region = region or None
        self._session: Session | None = None
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._lock = Lock()

    def host(self, call: Call) -> str:
        """Whom `call` asks, as far as that is known yet."""
        client = self._clients.get((call.service, call.region or self._region))
        return (
            str(parse_url(client.meta.endpoint_url).netloc)
            if client
            else f"{call.service} (host not yet known)"
        )

    def send(self, call: Call, seconds: float) -> Reply:
        """Sends `call` once. Raises EntrypointError."""
        try:
            with self._lock:  # sessions are not made for threads, and one look-up of credentials serves all
                client = self._client(call.service, call.region or self._region, seconds)
            reply: Reply = getattr(client, METHODS[call.operation])(**call.parameters)
        except EntrypointError:
            raise
        except (
            exceptions.ClientError
        ) as error:  # of a service that credentials are asked of: ours raise in _read
            fault = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = printable(str(fault.get("Code", "")), 100)
            passing = status >= 500 or status == 429 or code in replies.PASSING_CODES
            message = (
                f"asking for credentials ({error.operation_name}): {printable(str(fault.get('Message', '')))}"
            )
            raise ServiceError(code, message, status, passing=passing) from None
        except exceptions.BotoCoreError as error:
            raise _explained(error, self.host(call)) from None
        return reply

    def _client(self, service: str, region: str | None, seconds: float) -> Any:
        if (service, region) not in self._clients:
            if self._session is None:
                self._session = _session(self._environ, seconds)
            client = self._session.create_client(service, region_name=region)
            client.meta.events.register("before-parse", partial(_read, _authority(client.meta.endpoint_url)))
            self._clients[service, region] = client
        return self._clients[service, region]


class ArchiveLoader(Loader):
    """botocore's data out of its own package, which may stand in a zip archive; no folders of a user's."""

    def list_available_services(self, type_name: str) -> list[str]:
        return sorted(entry.name for entry in files("botocore").joinpath("data").iterdir() if entry.is_dir())

    def list_api_versions(self, service_name: str, type_name: str) -> list[str]:
        folder = files("botocore").joinpath("data").joinpath(service_name)
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        for suffix, unpack in ((".json", bytes), (".json.gz", _gunzip)):
            try:
                data = pkgutil.get_data("botocore", f"data/{name}{suffix}")
            except OSError:
                continue
            if data is not None:
                return loads(unpack(data)), name
        raise exceptions.DataNotFoundError(data_path=name)


def _gunzip(data: bytes) -> bytes:
    from gzip import decompress

    return decompress(data)


def _isolate() -> None:
    """Keeps botocore from what it should not see. It reads os.environ itself, so that has to be changed; the command
    gets its environment from elsewhere."""
    for name in [name for name, value in os.environ.items() if not value and name.startswith("AWS_")]:
        del os.environ[name]  # the emulator makes empty credentials out of missing ones
    # With no HOME and no passwd entry, or a relative HOME, botocore would read "./~/.aws/config" from the working
    # directory and run a credential_process that it finds there.
    if not os.path.isabs(os.path.expanduser("~")):
        os.environ["HOME"] = "/nonexistent"


def _session(environ: Mapping[str, str], seconds: float) -> Session:
    # Token caches are read, never written.
    botocore.utils.JSONFileCache.__setitem__ = lambda *_: None  # type: ignore[method-assign]
    session = Session()
    session.register_component("data_loader", ArchiveLoader())
    session.set_config_variable("max_attempts", 1)
    session.set_config_variable("metadata_service_timeout", min(CONNECT_SECONDS, seconds))
    if environ.get("AWS_CA_BUNDLE") or not session.get_config_variable("ca_bundle"):
        session.set_config_variable("ca_bundle", _bundle(environ))
    session.set_default_client_config(
        Config(
            connect_timeout=min(CONNECT_SECONDS, seconds),
            read_timeout=seconds,
            retries={"total_max_attempts": 1, "mode": "standard"},
            user_agent_extra=f"run-lambda-entrypoint/{__version__}",
            max_pool_connections=64,
        )
    )
    return session


def _bundle(environ: Mapping[str, str]) -> str:
    """The path of one PEM file of all stores. A memfd: OpenSSL wants a path, inside the archive there is none, and
    nothing is written to a disk. (That a host of Amazon's is verified against the union and not against Amazon's own
    roots first comes to the same: these are part of the archive's bundle.)"""
    memory = os.memfd_create("certificates")
    with open(memory, "wb", closefd=False) as file:
        for _, read in trust.stores(environ, amazon=False):
            file.write(read() + b"\n")
    return f"/proc/self/fd/{memory}"


def _read(
    host: str, response_dict: Mapping[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Handler of "before-parse": reads the reply as the direct transport does, so that both answer alike. botocore's
    own parser would take a reply cut short for an empty one, and shows the body where it cannot parse it."""
    headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    status, body = response_dict["status_code"], response_dict["body"]
    customized_response_dict.update(replies.read(host, status, headers, body))


def _explained(error: exceptions.BotoCoreError, host: str) -> EntrypointError:
    url = error.kwargs.get("endpoint_url") or error.kwargs.get("proxy_url")
    host = _authority(url) if url else host
    if isinstance(error, exceptions.NoCredentialsError):
        return ConfigurationError(
            "no AWS credentials: give the function a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and "
            "AWS_SESSION_TOKEN)"
        )
    if isinstance(error, exceptions.NoRegionError):
        return ConfigurationError("no region: set AWS_REGION, or write the secret's full ARN")
    if isinstance(error, TELLING):
        return ConfigurationError(f"AWS configuration: {printable(str(error))}")
    if isinstance(error, PASSING):
        return faults.network(host, _cause(error))
    return ConfigurationError(f"botocore refuses ({type(error).__name__})")


def _authority(url: str) -> str:
    return parse_url(url).netloc or url


def _cause(error: BaseException) -> OSError:
    """The system's own error inside the layers of botocore's and urllib3's, so that both transports tell the same."""
    layer: BaseException | None = error
    while layer is not None:
        if isinstance(layer, OSError) and not isinstance(layer, (exceptions.BotoCoreError, HTTPError)):
            return layer
        inner = layer.kwargs.get("error") if isinstance(layer, exceptions.BotoCoreError) else None
        reason = getattr(layer, "reason", None)
        layer = (
            inner
            or (reason if isinstance(reason, BaseException) else None)
            or layer.__cause__
            or layer.__context__
        )
    timeouts = (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError)
    return TimeoutError() if isinstance(error, timeouts) else ConnectionResetError()
