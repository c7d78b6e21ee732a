"""Where botocore takes credentials from: which settings name the source, and whether what it gives can be used."""

from __future__ import annotations

import botocore.credentials
from botocore.compat import compat_shell_split
from botocore.credentials import ContainerProvider, CredentialResolver

from ...errors import EntrypointError, misconfigured
from ...text import printable
from ..credentials import INVALID_CHARACTER, usable
from . import wire
from .processes import CREDENTIAL_PROCESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# botocore's names for its providers.
ENVIRONMENT, CONTAINER, PROCESS, SSO = "env", "container-role", "custom-process", "sso"
WEB_IDENTITY = "assume-role-with-web-identity"
# The variable of a provider's file, and its default.
FILES = {
    "shared-credentials-file": ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
    "config-file": ("AWS_CONFIG_FILE", "~/.aws/config"),
    "ec2-credentials-file": ("AWS_CREDENTIAL_FILE", "AWS_CREDENTIAL_FILE"),
    "boto-config": ("BOTO_CONFIG", "~/.boto"),
}
# Of each pair, the first takes precedence.
TOKEN_FILE, TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN"
RELATIVE_URI, FULL_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"
WEB_IDENTITY_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"
EXPIRATION = "AWS_CREDENTIAL_EXPIRATION"
NOT_A_TIME = "is not a valid time; expected a form such as 2030-01-31T23:59:59Z"
LOGIN = "run `aws sso login` for the profile, or pass session credentials"
ATTEMPTS = "AWS_METADATA_SERVICE_NUM_ATTEMPTS"  # the only number that botocore reads here and that is not set by us


def watch() -> None:
    """Makes botocore note in this thread's exchange which provider it asks, and check what the user has configured."""
    CredentialResolver.load_credentials = _load  # type: ignore[assignment]
    ContainerProvider._validate_auth_token = _check_token  # type: ignore[attr-defined]
    botocore.credentials.compat_shell_split = _split  # type: ignore[assignment]


def check(credentials: Any, exchange: wire.Exchange, environ: Mapping[str, str]) -> None:
    """Raises EntrypointError if what `credentials` has cannot be part of a request."""
    exchange.provider = credentials.method  # which is not asked again where it is known already
    frozen = credentials.get_frozen_credentials()
    fields = {
        "access key ID": frozen.access_key,
        "secret access key": frozen.secret_key,
        "session token": frozen.token or "",
    }
    for field, value in fields.items():
        if not isinstance(value, str) or not usable(value):
            raise misconfigured(f"the {field} from {source(exchange, environ)} {INVALID_CHARACTER}")


def source(exchange: wire.Exchange, environ: Mapping[str, str]) -> str:
    """The source that was asked last."""
    if exchange.provider in FILES:
        variable, default = FILES[exchange.provider]
        return printable(environ.get(variable) or default)
    if exchange.provider == PROCESS:
        return CREDENTIAL_PROCESS
    return "the environment" if exchange.provider == ENVIRONMENT else exchange.name or "the profile"


def unusable(error: Exception, exchange: wire.Exchange, environ: Mapping[str, str]) -> EntrypointError | None:
    """Which setting made botocore raise `error` before it asked the source, or after; None if that is not known."""
    if isinstance(error, RuntimeError):
        if not str(error).startswith("Credentials were refreshed"):
            return None
        expired = f", as {EXPIRATION} says" if exchange.provider == ENVIRONMENT else ""
        return misconfigured(f"the credentials from {source(exchange, environ)} have expired{expired}; get new ones")
    if exchange.provider == PROCESS and exchange.host:  # all else was checked
        return misconfigured(f"{CREDENTIAL_PROCESS} printed an Expiration that {NOT_A_TIME}")
    if exchange.status:
        return None
    if exchange.provider == ENVIRONMENT:
        return misconfigured(f"{EXPIRATION} {NOT_A_TIME}")
    if isinstance(error, UnicodeDecodeError) and exchange.provider in (CONTAINER, WEB_IDENTITY):
        return misconfigured(f"{token_file(exchange, environ)} is not UTF-8 text; expected a token alone")
    if exchange.provider == CONTAINER:
        return invalid_uri(environ)
    if exchange.provider == SSO:  # what is cached of a session has another form
        return misconfigured(f"no valid SSO session; {LOGIN}")
    if exchange.is_for_credentials and not exchange.provider and isinstance(error, ValueError):
        setting = ATTEMPTS if environ.get(ATTEMPTS) else "the profile's metadata_service_num_attempts"
        return misconfigured(f"{setting} must be a whole number")
    return None


def token_file(exchange: wire.Exchange, environ: Mapping[str, str]) -> str:
    """The file that the token for the source is in, and what names it."""
    variable = TOKEN_FILE if exchange.provider == CONTAINER else WEB_IDENTITY_FILE
    path = environ.get(variable)
    return f"{variable}={printable(path)}" if path else "the profile's web_identity_token_file"


def invalid_uri(environ: Mapping[str, str]) -> EntrypointError:
    """The URL of the container's credentials is not one, or botocore refuses it."""
    if environ.get(RELATIVE_URI):
        return misconfigured(f"{RELATIVE_URI} is not valid; expected a path that starts with /")
    return misconfigured(
        f"{FULL_URI} is not valid; expected an HTTP or HTTPS URL of this machine or of a container service"
    )


def _load(resolver: CredentialResolver) -> Any:
    """CredentialResolver.load_credentials."""
    for provider in resolver.providers:
        wire.current().provider = provider.METHOD or ""
        found = provider.load()
        if found is not None:
            return found
    return None


def _check_token(provider: ContainerProvider, token: str) -> None:
    """ContainerProvider._validate_auth_token; a space may be part of a token ("Bearer ...")."""
    if token.isascii() and token.isprintable():
        return
    path = provider._environ.get(TOKEN_FILE)  # type: ignore[attr-defined]
    shown = f"{TOKEN_FILE}={printable(path)}" if path else TOKEN
    raise misconfigured(
        f"{shown}: the token contains a line break or another character that is not valid in a header; remove it"
    )


def _split(command: str, *platform: str) -> Sequence[str]:
    """compat_shell_split, which credential_process is split by."""
    try:
        found: Sequence[str] = compat_shell_split(command, *platform)
    except ValueError:
        reason = "has a quotation mark that is not closed, or ends in a backslash"
        raise misconfigured(f"{CREDENTIAL_PROCESS} {reason}") from None
    return found
