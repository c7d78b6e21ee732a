"""botocore's session: what it reads, whom it trusts, and what it must not do here."""

from __future__ import annotations

import gzip
import pkgutil
import socket
from functools import partial
from importlib.resources import files
from json import loads
from ssl import SSLContext
from time import monotonic

import botocore.credentials
import botocore.httpsession
import botocore.utils
import urllib3.util.connection
from botocore.config import Config
from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader
from botocore.session import Session

from ... import __version__
from ...errors import FILE_LIMITS, misconfigured
from ...native import tls
from .. import trust
from ..call import CONNECT_TIMEOUT
from ..endpoints import default_region
from . import sources, wire
from .processes import CredentialProcess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, NoReturn

    from ..dial import Dialer

DIAL_TIMEOUT = 60.0  # seconds; the thread that keeps the deadline leaves it behind earlier
_PROCESS_PROVIDER = botocore.credentials.ProcessProvider
_ASSUME_ROLE_PROVIDER = botocore.credentials.AssumeRoleProvider


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
            except OSError as error:
                if error.errno in FILE_LIMITS:
                    raise
                continue
            if data is not None:
                return loads(unpack(data)), name
        raise DataNotFoundError(data_path=name)


def create(environ: Mapping[str, str], dialer: Dialer) -> tuple[Session, str]:
    """A session that reads the configuration as botocore does, and connects by `dialer`; and the profile's ca_bundle.

    Raises what botocore raises, and EntrypointError.
    """
    wire.watch()
    sources.watch()
    # Token caches are read, never written.
    botocore.utils.JSONFileCache.__setitem__ = lambda *_: None  # type: ignore[method-assign]
    # Where urllib3 opens every connection: to endpoints, proxies and sources of credentials.
    urllib3.util.connection.create_connection = partial(_connect, dialer)
    # One retry loop, ours.
    botocore.utils.ContainerMetadataFetcher.RETRY_ATTEMPTS = 1
    botocore.utils.ContainerMetadataFetcher.SLEEP_TIME = 0
    # Standard input is the command's.
    botocore.credentials.ProcessProvider = partial(_PROCESS_PROVIDER, popen=CredentialProcess)  # type: ignore[misc,assignment]
    botocore.credentials.AssumeRoleProvider = partial(_ASSUME_ROLE_PROVIDER, prompter=_refuse)  # type: ignore[misc,assignment]
    session = Session()
    session.register_component("data_loader", ArchiveLoader())
    for service in ("sso", "sso-oidc"):  # the sources of credentials whose errors are JSON
        session.register(f"before-parse.{service}", _drop_text)
    if region := default_region(environ):  # botocore ignores AWS_REGION; for the clients of credential providers too
        session.set_config_variable("region", region)
    session.set_config_variable("max_attempts", 1)
    session.set_config_variable("metadata_service_timeout", CONNECT_TIMEOUT)
    ca_bundle = session.get_config_variable("ca_bundle") or ""
    session.set_config_variable("ca_bundle", True)  # and not what REQUESTS_CA_BUNDLE says
    # One context for all connections, to endpoints, proxies and sources of credentials: urllib3 would load a file of
    # certificates, which there is none of inside the archive, anew for each of them.
    context = _context(trust.stores(environ, amazon=False, ca_bundle=ca_bundle))
    botocore.httpsession.get_cert_path = lambda _: None  # type: ignore[assignment]
    botocore.httpsession.URLLib3Session._get_ssl_context = lambda _: context  # type: ignore[attr-defined]
    botocore.httpsession.URLLib3Session._setup_proxy_ssl_context = lambda *_: context  # type: ignore[attr-defined]
    session.set_default_client_config(
        Config(
            connect_timeout=CONNECT_TIMEOUT,
            retries={"total_max_attempts": 1, "mode": "standard"},
            user_agent_extra=f"run-lambda-entrypoint/{__version__}",
            max_pool_connections=64,
        )
    )
    return session, ca_bundle


def _connect(
    dialer: Dialer,
    address: tuple[str, int],
    timeout: object,
    source_address: object,
    socket_options: Sequence[tuple[int, int, int | bytes]] | None,
) -> socket.socket:
    """urllib3's create_connection. The connection's own timeout is the dialer's, so that a handshake may take as long
    as over the direct transport; urllib3 sets another one before it reads."""
    connected = dialer.connect(*address, monotonic() + DIAL_TIMEOUT)
    connection = socket.socket(fileno=connected.detach())
    connection.settimeout(connected.gettimeout())
    for option in socket_options or ():
        connection.setsockopt(*option)
    return connection


def _refuse(_: str) -> NoReturn:
    raise misconfigured(
        "the profile requires an MFA code (mfa_serial), and nobody can enter one here; use a "
        "profile without mfa_serial, or pass session credentials: aws configure export-credentials --format env"
    )


def _drop_text(**event: Any) -> None:
    """Handler of "before-parse": botocore would take a body that is not JSON for AWS's error message."""
    try:
        loads(event["response_dict"]["body"])
    except ValueError:
        event["response_dict"]["body"] = b"{}"


def _context(stores: Sequence[trust.Store]) -> SSLContext:
    """What trusts the union of all stores. (That one of Amazon's hosts is not verified against Amazon's own roots first
    makes no difference: these are part of the archive's bundle.)"""
    contents = [store.read() for store in stores]

    def loaded(contents: Iterable[bytes]) -> SSLContext | None:
        return tls.context(b"\n".join(contents).decode("ascii", "ignore"), SSLContext)

    # One bad store spoils all. To look for it first would take as long again as loading them.
    context = loaded(contents) or loaded(content for content in contents if trust.context(content))
    if context is None:
        raise trust.unreadable(stores)
    return context
