"""Which transport sends the calls, and why."""

from __future__ import annotations

import os

from ..errors import ConfigurationError
from . import endpoints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..log import Log
    from . import Call, Transport
    from .endpoints import Endpoint

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
AUTO, DIRECT, BOTOCORE = "auto", "direct", "botocore"


def transport(environ: Mapping[str, str], calls: Sequence[Call], wish: str, log: Log) -> Transport:
    """The transport for these calls; `wish` is AUTO, or DIRECT or BOTOCORE to force one. Raises ConfigurationError."""
    region = own_region(environ)
    asked = {(call.service, call.region or region) for call in calls}
    found = {key: endpoints.resolve(*key, environ) for key in asked}
    name, reason = decide(environ, found, wish)
    log.debug(f"transport {name}: {reason}")
    if name == BOTOCORE:
        from .sdk import BotocoreTransport

        return BotocoreTransport(environ, region, found)
    from .direct import DirectTransport
    from .sigv4 import Credentials

    key_id, secret = environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]
    # In botocore's order; the first is the token's old name.
    token = environ.get("AWS_SECURITY_TOKEN") or environ.get("AWS_SESSION_TOKEN")
    known = {key: endpoint for key, endpoint in found.items() if endpoint}
    return DirectTransport(environ, Credentials(key_id, secret, token), region, known)


def own_region(environ: Mapping[str, str]) -> str:
    """The region that the function runs in, "" where the environment does not say."""
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""


def decide(
    environ: Mapping[str, str], found: Mapping[tuple[str, str], Endpoint | None], wish: str
) -> tuple[str, str]:
    """DIRECT where the environment alone answers everything, else BOTOCORE; and the reason.

    `found` are the endpoints by service and region. Raises ConfigurationError for half a pair of credentials, which
    no transport can use, and where DIRECT is wished but cannot be.
    """
    key_id, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    for name in CREDENTIALS:
        value = environ.get(name, "")
        if not value.isascii() or not value.isprintable() or " " in value:
            # It would end up in a header of the request, or make a signature that nobody can explain.
            raise ConfigurationError(
                f"{name} holds a space, a line break or another character that no credential has"
            )
    for _, region in found:
        if region and not endpoints.is_label(region):
            raise ConfigurationError(f"AWS_REGION, or AWS_DEFAULT_REGION, is {region!a}, which is no region")
    if key_id and not secret:
        raise ConfigurationError(
            "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not; set both, or neither"
        )
    if wish == BOTOCORE:
        return BOTOCORE, "it was asked for"
    lacking = "" if key_id else "AWS_ACCESS_KEY_ID is not set"
    for (service, region), endpoint in found.items():
        if not region:
            lacking = lacking or "AWS_REGION is not set"
        elif not endpoint:
            lacking = lacking or f"only botocore knows the endpoint of {service} in {region}"
    if wish == DIRECT and lacking:
        raise ConfigurationError(f"the direct transport was asked for, but {lacking}")
    if wish == DIRECT:
        return DIRECT, "it was asked for"
    reason = lacking or _more_than_environment(environ) or _proxied(environ, filter(None, found.values()))
    return (BOTOCORE, reason) if reason else (DIRECT, "the environment answers everything")


def _more_than_environment(environ: Mapping[str, str]) -> str:
    """Why botocore would look beyond the environment, or nothing."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        if environ.get(name):
            return f"{name} is set"
    for name, usual in (
        ("AWS_CONFIG_FILE", "~/.aws/config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
    ):
        path = os.path.expanduser(environ.get(name) or usual)
        # Relative: there is no home, and botocore is told so (sdk.py); but a path that a variable sets counts.
        if (environ.get(name) or os.path.isabs(path)) and os.path.exists(path):
            return f"{path} is there"
    return ""


def _proxied(environ: Mapping[str, str], asked: Iterable[Endpoint]) -> str:
    """Which proxy variable is in the way to one of these endpoints, or nothing."""
    for endpoint in asked:
        variable = "https_proxy" if endpoint.secure else "http_proxy"
        if _any_case(environ, variable) and not _bypassed(environ, endpoint.authority):
            return f"{variable} is set"
    return ""


def _bypassed(environ: Mapping[str, str], authority: str) -> bool:
    no_proxy = _any_case(environ, "no_proxy")
    if not no_proxy:
        return False
    # The function that botocore asks too; it costs 20 ms, so only where there is a proxy and an exception.
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

    return bool(proxy_bypass_environment(authority, {"no": no_proxy}))


def _any_case(environ: Mapping[str, str], variable: str) -> str:
    """The value of a proxy variable in the case that counts: the lower one, even if empty, else any."""
    if variable in environ:
        return environ[variable]
    values = [value for name, value in environ.items() if name.lower() == variable and value]
    return values[-1] if values else ""
