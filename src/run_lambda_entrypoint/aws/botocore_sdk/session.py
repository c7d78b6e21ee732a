"""botocore's session: what it reads, whom it trusts, and what it must not do here."""

from __future__ import annotations

import gzip
import os
import pkgutil
import socket
from functools import partial
from importlib.resources import files
from json import loads
from ssl import SSLContext, TLSVersion
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
from ...errors import FILE_LIMITS
from .. import trust
from ..call import CONNECT_TIMEOUT
from ..endpoints import default_region
from . import wire
from .exceptions import misconfigured
from .processes import CredentialProcess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn

    from ..dial import Dialer

DIAL_TIMEOUT = 60.0  # seconds; the thread that keeps the deadline leaves it behind earlier
_CREATE_CONTEXT = botocore.httpsession.create_urllib3_context
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


def create(environ: Mapping[str, str], dialer: Dialer) -> Session:
    """A session that reads the configuration as botocore does, and connects by `dialer`.

    Raises what botocore raises, and EntrypointError.
    """
    wire.watch()
    # Token caches are read, never written.
    botocore.utils.JSONFileCache.__setitem__ = lambda *_: None  # type: ignore[method-assign]
    # TLS 1.2 at least: Debian's OpenSSL has no minimum version, and botocore sets none.
    botocore.httpsession.create_urllib3_context = _context
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
    if environ.get("AWS_CA_BUNDLE") or not session.get_config_variable("ca_bundle"):
        session.set_config_variable("ca_bundle", _bundle(environ))
    session.set_default_client_config(
        Config(
            connect_timeout=CONNECT_TIMEOUT,
            retries={"total_max_attempts": 1, "mode": "standard"},
            user_agent_extra=f"run-lambda-entrypoint/{__version__}",
            max_pool_connections=64,
        )
    )
    return session


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
        "AWS configuration: the profile requires an MFA code (mfa_serial), and nobody can enter one here; use a "
        "profile without mfa_serial, or pass session credentials: aws configure export-credentials --format env"
    )


def _drop_text(**event: Any) -> None:
    """Handler of "before-parse": botocore would take a body that is not JSON for AWS's error message."""
    try:
        loads(event["response_dict"]["body"])
    except ValueError:
        event["response_dict"]["body"] = b"{}"


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
