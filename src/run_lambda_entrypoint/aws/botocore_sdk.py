"""The botocore transport: profiles, SSO, web identity, container credentials, proxies and all else."""

from __future__ import annotations

import gzip
import os
import pkgutil
from functools import partial
from http.client import HTTPException, IncompleteRead
from importlib.resources import files
from json import loads
from ssl import SSLCertVerificationError, SSLContext, TLSVersion
from threading import Lock
from time import monotonic

import botocore.httpsession
import botocore.utils
import urllib3.util.connection
from botocore import exceptions, xform_name
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session
from urllib3.exceptions import HTTPError, InvalidChunkLength
from urllib3.util import Timeout, parse_url
from urllib3.util.ssl_match_hostname import CertificateError

from .. import __version__
from ..errors import CREDENTIALS_MISSING, INVALID_AWS_CONFIGURATION, EntrypointError
from ..text import printable
from . import classify, replies, trust
from .call import CONNECT_TIMEOUT
from .dial import Dialer
from .endpoints import default_region

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from socket import socket
    from typing import Any

    from .call import Call, Reply
    from .endpoints import Endpoint

# Errors whose messages are about configuration and contain no part of a file. Of all others only the name is shown: a
# parser's message may quote the line with the key on it.
SAFE_TO_SHOW = (
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
_CREATE_CONTEXT = botocore.httpsession.create_urllib3_context
NETWORK_ERRORS = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.MetadataRetrievalError)


class BotocoreTransport:
    """Sends calls through botocore's clients, one for each service and Region.

    `environ` is the function's own environment; `endpoints` are those known without botocore, for messages.
    """

    def __init__(self, environ: Mapping[str, str], endpoints: Mapping[tuple[str, str], Endpoint | None]) -> None:
        _isolate()
        self._environ = environ
        self._endpoints = endpoints
        self._session: Session | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = Lock()
        self._dialer = Dialer()

    def prepare(self) -> None:
        """Nothing: all that can be done ahead needs the lock."""

    def host(self, call: Call) -> str:
        """The host that `call` goes to, as far as that is known yet."""
        client = self._clients.get((call.service.name, call.region))
        if client:
            return _authority(client.meta.endpoint_url)
        endpoint = self._endpoints.get((call.service.name, call.region))
        known = endpoint.authority if endpoint else f"{call.service.name} in {call.region or 'an unknown Region'}"
        return f"{known}, or from the source of its credentials"

    def waiting(self, call: Call) -> EntrypointError:
        """Why `call` has no reply yet."""
        return classify.unreachable(f"no answer from {self.host(call)}")

    def send(self, call: Call, timeout: float) -> tuple[Reply, int]:
        """Sends `call` once. Raises EntrypointError."""
        try:
            with self._lock:  # sessions are not made for threads, and one look-up of credentials serves all
                client = self._client(call, timeout)
            reply: tuple[Reply, int] = getattr(client, xform_name(call.operation))(**call.params)["reply"]
        except exceptions.ClientError as error:  # of a service that provides credentials: ours raise in _read
            raise _credentials_error(error) from None
        except exceptions.BotoCoreError as error:
            raise self._explained(error, call) from None
        except OSError as error:  # of a file or program that the configuration names
            what = f"{printable(str(error.filename or 'a file'))}: {error.strerror}"
            raise _misconfigured(f"AWS configuration: {what}; fix the setting that names it") from None
        return reply

    def _explained(self, error: exceptions.BotoCoreError, call: Call) -> EntrypointError:
        self._dialer.forget()
        if isinstance(error, NETWORK_ERRORS):
            return self._network_error(error, call)
        if isinstance(error, exceptions.CredentialRetrievalError) and isinstance(
            error.__context__, exceptions.MetadataRetrievalError
        ):
            provider = error.kwargs.get("provider")
            return classify.unreachable(f"credentials from {provider}: {printable(str(error.__context__))}")
        return _configuration_error(error)

    def _network_error(self, error: exceptions.BotoCoreError, call: Call) -> EntrypointError:
        url = error.kwargs.get("endpoint_url") or error.kwargs.get("proxy_url")
        endpoint = self._endpoints.get((call.service.name, call.region))
        stores = trust.stores(self._environ, amazon=endpoint is not None and endpoint.amazon)
        return classify.connection_error(
            _authority(url) if url else self.host(call),
            _cause(error),
            [store.name for store in stores if trust.context(store.read())],
        )

    def _client(self, call: Call, timeout: float) -> Any:
        key = (call.service.name, call.region)
        if key not in self._clients:
            if self._session is None:
                self._session = _session(self._environ, timeout, self._dialer)
            try:
                credentials = self._session.get_credentials()
                if credentials:
                    credentials.get_frozen_credentials()
            except (ValueError, RuntimeError) as error:  # whose texts may quote a file
                raise _misconfigured(
                    f"cannot use the configuration of the AWS credentials ({type(error).__name__}); check the AWS_* "
                    "variables and the profile"
                ) from None
            try:
                client = self._session.create_client(key[0], region_name=call.region or None)
            except ValueError:  # botocore's word for a URL that it cannot use
                raise _misconfigured(
                    f"AWS_ENDPOINT_URL, or another setting of the endpoint of {key[0]}, is not a valid URL; expected "
                    "https://HOST, https://HOST:PORT or https://HOST/PATH"
                ) from None
            client.meta.events.register("before-parse", partial(_read, _authority(client.meta.endpoint_url)))
            self._clients[key] = client
        return self._clients[key]


def _misconfigured(message: str) -> EntrypointError:
    return EntrypointError(INVALID_AWS_CONFIGURATION, message)


def _configuration_error(error: exceptions.BotoCoreError) -> EntrypointError:
    if isinstance(error, exceptions.NoCredentialsError):
        return EntrypointError(
            CREDENTIALS_MISSING,
            "no AWS credentials in the environment, in ~/.aws, or from the container's or instance's metadata; give "
            "the function a role, or pass yours: docker run -e AWS_ACCESS_KEY_ID -e AWS_SECRET_ACCESS_KEY "
            "-e AWS_SESSION_TOKEN ...",
        )
    if isinstance(error, exceptions.NoRegionError):
        return _misconfigured("no Region; set AWS_REGION, or use the secret's full ARN")
    if isinstance(error, exceptions.ConfigParseError):  # its text quotes lines of the file
        return _misconfigured(f"AWS configuration: cannot parse {printable(str(error.kwargs.get('path')))}")
    if isinstance(error, exceptions.CredentialRetrievalError) and error.kwargs.get("provider") == "custom-process":
        return _misconfigured("AWS configuration: credential_process failed")  # its output may be anything
    if isinstance(error, SAFE_TO_SHOW):
        return _misconfigured(f"AWS configuration: {printable(str(error))}")
    return _misconfigured(f"AWS configuration: botocore raised {type(error).__name__}")


def _credentials_error(error: exceptions.ClientError) -> EntrypointError:
    details = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    text = f"while requesting credentials ({error.operation_name}): {details.get('Message', '')}"
    return classify.service_error(printable(str(details.get("Code")), 100), text, status)


class ArchiveLoader(Loader):
    """botocore's data from its own package, which may be in a zip archive; no folders of the user."""

    def list_available_services(self, type_name: str) -> list[str]:
        return sorted(entry.name for entry in files("botocore").joinpath("data").iterdir() if entry.is_dir())

    def list_api_versions(self, service_name: str, type_name: str) -> list[str]:
        folder = files("botocore").joinpath("data").joinpath(service_name)
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        for suffix, unpack in ((".json", bytes), (".json.gz", gzip.decompress)):
            try:
                data = pkgutil.get_data("botocore", f"data/{name}{suffix}")
            except OSError:
                continue
            if data is not None:
                return loads(unpack(data)), name
        raise exceptions.DataNotFoundError(data_path=name)


def _isolate() -> None:
    """Hides from botocore what it should not see. It reads os.environ itself, so that has to be changed; the command's
    environment does not come from there."""
    for name in [name for name, value in os.environ.items() if not value and name.startswith("AWS_")]:
        del os.environ[name]  # the emulator makes empty credentials out of missing ones
    # With no HOME and no passwd entry, or a relative HOME, botocore would read "./~/.aws/config" from the working
    # directory and run a credential_process that it finds there.
    if not os.path.isabs(os.path.expanduser("~")):
        os.environ["HOME"] = "/nonexistent"


def _session(environ: Mapping[str, str], timeout: float, dialer: Dialer) -> Session:
    # Token caches are read, never written.
    botocore.utils.JSONFileCache.__setitem__ = lambda *_: None  # type: ignore[method-assign]
    # TLS 1.2 at least: Debian's OpenSSL has no minimum version, and botocore sets none.
    botocore.httpsession.create_urllib3_context = _context
    # Where urllib3 opens every connection: to endpoints, proxies and sources of credentials.
    urllib3.util.connection.create_connection = partial(_connect, dialer, monotonic() + timeout)
    # One retry loop, ours.
    botocore.utils.ContainerMetadataFetcher.RETRY_ATTEMPTS = 1
    session = Session()
    session.register_component("data_loader", ArchiveLoader())
    if region := default_region(environ):  # botocore ignores AWS_REGION; for the clients of credential providers too
        session.set_config_variable("region", region)
    session.set_config_variable("max_attempts", 1)
    session.set_config_variable("metadata_service_timeout", min(CONNECT_TIMEOUT, timeout))
    if environ.get("AWS_CA_BUNDLE") or not session.get_config_variable("ca_bundle"):
        session.set_config_variable("ca_bundle", _bundle(environ))
    session.set_default_client_config(
        Config(
            connect_timeout=min(CONNECT_TIMEOUT, timeout),
            read_timeout=timeout,
            retries={"total_max_attempts": 1, "mode": "standard"},
            user_agent_extra=f"run-lambda-entrypoint/{__version__}",
            max_pool_connections=64,
        )
    )
    return session


def _connect(
    dialer: Dialer,
    deadline: float,
    address: tuple[str, int],
    timeout: Any,
    source_address: None,
    socket_options: Sequence[tuple[int, int, int | bytes]] | None,
) -> socket:
    """urllib3's create_connection; `timeout` is only that of the connection that it returns."""
    connection = dialer.connect(*address, deadline)
    for option in socket_options or ():
        connection.setsockopt(*option)
    connection.settimeout(Timeout.resolve_default_timeout(timeout))
    return connection


def _context(*args: Any, **named: Any) -> SSLContext:
    context: SSLContext = _CREATE_CONTEXT(*args, **named)
    context.minimum_version = TLSVersion.TLSv1_2
    return context


def _bundle(environ: Mapping[str, str]) -> str:
    """The path of one PEM file of all stores. A memfd: OpenSSL wants a path, inside the archive there is none, and
    nothing is written to a disk. (That one of Amazon's hosts is verified against the union, and not against Amazon's
    own roots first, makes no difference: these are part of the archive's bundle.)"""
    stores = trust.stores(environ, amazon=False)
    readable = [pem for store in stores if trust.context(pem := store.read())]  # one bad store would spoil all
    if not readable:
        raise trust.unreadable(stores)
    memory = os.memfd_create("certificates")
    with open(memory, "wb", closefd=False) as file:
        file.write(b"\n".join(readable))
    return f"/proc/self/fd/{memory}"


def _read(host: str, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Handler of "before-parse": reads the reply as the direct transport does, so that both report alike.
    botocore's own parser would take a truncated reply for an empty one, and shows the body where it cannot parse it."""
    headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    status, body = response_dict["status_code"], response_dict["body"]
    customized_response_dict["reply"] = replies.read(host, status, headers, body), len(body)
    response_dict["body"] = b"{}"  # botocore's parser must not fail on what ours has read


def _authority(url: str) -> str:
    return parse_url(url).netloc or url


def _cause(error: BaseException) -> Exception:
    """The innermost error below the layers of botocore and urllib3, as `classify.connection_error` takes it."""
    layer: BaseException | None = error
    while layer is not None:
        found = _standard(layer)
        if found:
            return found
        layer = _below(layer)
    timeouts = (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError)
    return TimeoutError() if isinstance(error, timeouts) else ConnectionResetError()


def _standard(layer: BaseException) -> Exception | None:
    """The error of the standard library that this layer is, or stands for; None if it is only a layer."""
    if isinstance(layer, OSError) and not isinstance(layer, (exceptions.BotoCoreError, HTTPError)):
        return layer
    if isinstance(layer, CertificateError):  # urllib3's own check of the hostname
        mismatch = SSLCertVerificationError()
        mismatch.verify_code = min(classify.HOSTNAME_MISMATCH)
        return mismatch
    not_http = isinstance(layer, HTTPException) and not isinstance(layer, IncompleteRead)
    if not_http or (isinstance(layer, InvalidChunkLength) and layer.length):
        return ValueError()
    return None


def _below(layer: BaseException) -> BaseException | None:
    inner = layer.kwargs.get("error") if isinstance(layer, exceptions.BotoCoreError) else None
    reason = getattr(layer, "reason", None)
    return inner or (reason if isinstance(reason, BaseException) else None) or layer.__cause__ or layer.__context__
