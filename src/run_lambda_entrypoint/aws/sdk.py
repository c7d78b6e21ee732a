"""The botocore transport: profiles, SSO, web identity, container credentials, proxies and all else."""

from __future__ import annotations

import os
import pkgutil
from functools import partial
from http.client import HTTPException, IncompleteRead
from importlib.resources import files
from json import loads
from ssl import SSLCertVerificationError
from threading import Lock

import botocore.utils
from botocore import exceptions, xform_name
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session
from urllib3.exceptions import HTTPError, InvalidChunkLength
from urllib3.util import parse_url
from urllib3.util.ssl_match_hostname import CertificateError

from .. import __version__
from ..errors import ConfigurationError, CredentialsMissingError, EntrypointError, NetworkError, printable
from . import faults, replies, trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from . import Call, Reply
    from .endpoints import Endpoint

CONNECT_SECONDS = 2.0

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
    configuration files (botocore itself does not know AWS_REGION); `endpoints` what is known without botocore, for
    messages.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        region: str,
        endpoints: Mapping[tuple[str, str], Endpoint | None],
    ) -> None:
        _isolate()
        self._environ = environ
        self._region = region or None
        self._endpoints = endpoints
        self._session: Session | None = None
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._lock = Lock()

    def prepare(self) -> None:
        """Nothing: all that can be done ahead needs the lock."""

    def host(self, call: Call) -> str:
        """Whom `call` asks, as far as that is known yet."""
        region = call.region or self._region or ""
        client = self._clients.get((call.service, region or None))
        endpoint = self._endpoints.get((call.service, region))
        if client:
            return _authority(client.meta.endpoint_url)
        known = endpoint.authority if endpoint else f"{call.service} in {region or 'an unknown region'}"
        return f"{known}, or from the source of its credentials"

    def send(self, call: Call, seconds: float) -> Reply:
        """Sends `call` once. Raises EntrypointError."""
        try:
            with self._lock:  # sessions are not made for threads, and one look-up of credentials serves all
                client = self._client(call.service, call.region or self._region, seconds)
            reply: Reply = getattr(client, xform_name(call.operation))(**call.parameters)
        except EntrypointError:
            raise
        except (
            exceptions.ClientError
        ) as error:  # of a service that credentials are asked of: ours raise in _read
            fault = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            text = f"asking for credentials ({error.operation_name}): {fault.get('Message', '')}"
            raise replies.refusal(printable(str(fault.get("Code")), 100), text, status) from None
        except exceptions.BotoCoreError as error:
            raise self._explained(error, call) from None
        except OSError as error:  # of a file or program that the configuration names
            what = f"{printable(str(error.filename or 'a file'))}: {error.strerror}"
            raise ConfigurationError(f"AWS configuration: {what}; mend the setting that names it") from None
        return reply

    def _explained(self, error: exceptions.BotoCoreError, call: Call) -> EntrypointError:
        url = error.kwargs.get("endpoint_url") or error.kwargs.get("proxy_url")
        host = _authority(url) if url else self.host(call)
        if isinstance(error, exceptions.NoCredentialsError):
            return CredentialsMissingError(
                "no AWS credentials, neither in the environment nor in ~/.aws nor from the container's or instance's "
                "metadata; give the function a role, or pass yours on: docker run -e AWS_ACCESS_KEY_ID "
                "-e AWS_SECRET_ACCESS_KEY -e AWS_SESSION_TOKEN ..."
            )
        if isinstance(error, exceptions.NoRegionError):
            return ConfigurationError("no region: set AWS_REGION, or write the secret's full ARN")
        if isinstance(error, exceptions.ConfigParseError):  # its text quotes lines of the file
            return ConfigurationError(
                f"AWS configuration: {printable(str(error.kwargs.get('path')))} cannot be parsed"
            )
        if isinstance(error, exceptions.CredentialRetrievalError):
            provider = error.kwargs.get("provider")
            if provider == "custom-process":  # what the program says may be anything
                return ConfigurationError("AWS configuration: credential_process failed")
            if isinstance(error.__context__, exceptions.MetadataRetrievalError):
                return NetworkError(
                    f"credentials from {provider}: {printable(str(error.__context__))}", passing=True
                )
        if isinstance(error, TELLING):
            return ConfigurationError(f"AWS configuration: {printable(str(error))}")
        if not isinstance(error, PASSING):
            return ConfigurationError(f"botocore refuses ({type(error).__name__})")
        cause = _cause(error)
        if not isinstance(cause, OSError):
            return faults.no_http(host)
        endpoint = self._endpoints.get((call.service, call.region or self._region or ""))
        stores = trust.stores(self._environ, amazon=endpoint is not None and endpoint.amazon)
        return faults.network(host, cause, [name for name, read in stores if trust.context(read())])

    def _client(self, service: str, region: str | None, seconds: float) -> Any:
        if (service, region) not in self._clients:
            if self._session is None:
                self._session = _session(self._environ, seconds)
                if self._region:  # for the clients of credential providers too
                    self._session.set_config_variable("region", self._region)
            try:
                credentials = self._session.get_credentials()
                if credentials:
                    credentials.get_frozen_credentials()
            except (ValueError, RuntimeError) as error:  # whose texts may quote a file
                raise ConfigurationError(
                    f"the configuration of the AWS credentials cannot be used ({type(error).__name__}); check the "
                    "AWS_* variables and the profile"
                ) from None
            try:
                client = self._session.create_client(service, region_name=region)
            except ValueError:  # botocore's word for a URL that it cannot use
                raise ConfigurationError(
                    f"AWS_ENDPOINT_URL, or another setting of {service}'s endpoint, is no URL that can be used; write "
                    "https://HOST, https://HOST:PORT or https://HOST/PATH"
                ) from None
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
    # One retry loop, ours.
    botocore.utils.ContainerMetadataFetcher.RETRY_ATTEMPTS = 1
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
    stores = trust.stores(environ, amazon=False)
    readable = [pem for _, read in stores if trust.context(pem := read())]  # one bad store would spoil all
    if not readable:
        raise trust.unreadable(stores)
    memory = os.memfd_create("certificates")
    with open(memory, "wb", closefd=False) as file:
        file.write(b"\n".join(readable))
    return f"/proc/self/fd/{memory}"


def _read(
    host: str, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Handler of "before-parse": reads the reply as the direct transport does, so that both answer alike. botocore's
    own parser would take a reply cut short for an empty one, and shows the body where it cannot parse it."""
    headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    status, body = response_dict["status_code"], response_dict["body"]
    customized_response_dict.update(replies.read(host, status, headers, body))
    response_dict["body"] = b"{}"  # botocore's parser is not to trip over what ours has read


def _authority(url: str) -> str:
    return parse_url(url).netloc or url


def _cause(error: BaseException) -> OSError | HTTPException:
    """The innermost error inside the layers of botocore's and urllib3's, so that both transports tell the same."""
    layer: BaseException | None = error
    while layer is not None:
        if isinstance(layer, OSError) and not isinstance(layer, (exceptions.BotoCoreError, HTTPError)):
            return layer
        if isinstance(layer, CertificateError):  # urllib3's own check of the host's name
            mismatch = SSLCertVerificationError()
            mismatch.verify_code = min(faults.OTHER_NAME)
            return mismatch
        broken = isinstance(layer, HTTPException) and not isinstance(layer, IncompleteRead)
        if broken or (isinstance(layer, InvalidChunkLength) and layer.length):
            return HTTPException()
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
