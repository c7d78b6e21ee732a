"""Which transport sends the calls, and why."""

from __future__ import annotations

from ..errors import INVALID_AWS_CONFIGURATION, EntrypointError
from ..native import paths
from ..text import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .endpoints import Endpoint

DIRECT, BOTOCORE = "direct", "botocore"


def choose(
    environ: Mapping[str, str], endpoints: Mapping[tuple[str, str], Endpoint | None], requested: str
) -> tuple[str, str]:
    """DIRECT where all settings come from environment variables, otherwise BOTOCORE; and the reason.

    `endpoints` are by service and Region. Raises EntrypointError where DIRECT is requested but cannot be.
    """
    if requested == BOTOCORE:
        return BOTOCORE, "requested by LAMBDA_ENV_TRANSPORT"
    missing = _missing(environ, endpoints)
    if requested == DIRECT and missing:
        raise EntrypointError(
            INVALID_AWS_CONFIGURATION, f"LAMBDA_ENV_TRANSPORT is direct, but {missing}; set it to auto"
        )
    if requested == DIRECT:
        return DIRECT, "requested by LAMBDA_ENV_TRANSPORT"
    reason = missing or _shared_configuration(environ) or _proxied(environ, endpoints)
    return (BOTOCORE, reason) if reason else (DIRECT, "all settings come from environment variables")


def _missing(environ: Mapping[str, str], endpoints: Mapping[tuple[str, str], Endpoint | None]) -> str:
    """What the direct transport lacks, or nothing."""
    if not environ.get("AWS_ACCESS_KEY_ID"):
        return "AWS_ACCESS_KEY_ID is not set"
    for (service, region), endpoint in endpoints.items():
        if not region:
            return "AWS_REGION is not set"
        if not endpoint:
            return f"only botocore knows the endpoint of {service} in {region}"
    return ""


def _shared_configuration(environ: Mapping[str, str]) -> str:
    """Why botocore would look beyond the environment, or nothing."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        if environ.get(name):
            return f"{name} is set"
    for name, usual in (("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")):
        path = paths.expand_home(environ.get(name) or usual, environ)
        # Relative: there is no home, and botocore is told so (isolation.py); but a path that a variable sets counts.
        if (environ.get(name) or path.startswith("/")) and paths.exists(encode(path)):
            return f"{path} exists"
    return ""


def _proxied(environ: Mapping[str, str], endpoints: Mapping[tuple[str, str], Endpoint | None]) -> str:
    """The proxy variable that applies to one of the endpoints, or nothing."""
    for endpoint in filter(None, endpoints.values()):
        variable = in_any_case(environ, "https_proxy" if endpoint.secure else "http_proxy")
        if variable and not _bypassed(environ, endpoint.authority):
            return f"{variable} is set"
    return ""


def _bypassed(environ: Mapping[str, str], authority: str) -> bool:
    no_proxy = environ.get(in_any_case(environ, "no_proxy"))
    if not no_proxy:
        return False
    # The function that botocore calls too. Saves 20 ms on every start without both a proxy and an exception from it.
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined] # noqa: PLC0415

    return bool(proxy_bypass_environment(authority, {"no": no_proxy}))


def in_any_case(environ: Mapping[str, str], variable: str) -> str:
    """The proxy variable in the case that counts: the lower one, even if empty, otherwise any; "" if that is empty."""
    if variable in environ:
        return variable if environ[variable] else ""
    names = [name for name, value in environ.items() if name.lower() == variable and value]
    return names[-1] if names else ""
