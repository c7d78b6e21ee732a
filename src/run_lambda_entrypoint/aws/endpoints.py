"""The host of a service in a Region, from botocore's own partitions data."""

from __future__ import annotations

from ..errors import INVALID_AWS_CONFIGURATION, EntrypointError
from ..native import json
from ..record import Record
from .known import REGIONS
from .package_data import data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .call import Call
    from .services import Service

_DIGITS = frozenset("0123456789")
_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_ADDRESS = frozenset("0123456789abcdefABCDEF:.")  # of IPv6
_PATH = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")


class Endpoint(Record):
    """A host that answers for a service. `amazon`: it is one of AWS's own, not one that a variable names."""

    host: str
    port: int = 443
    path: str = "/"
    secure: bool = True
    amazon: bool = True

    @property
    def authority(self) -> str:
        """Host and, if it is not the scheme's own, port: as the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def default_region(environ: Mapping[str, str]) -> str:
    """The Region that the function runs in, "" where the environment does not say."""
    return environ.get(region_variable(environ), "")


def region_variable(environ: Mapping[str, str]) -> str:
    """The variable that `default_region` is from, "" if none is set."""
    return next((name for name in ("AWS_REGION", "AWS_DEFAULT_REGION") if environ.get(name)), "")


def resolve_all(calls: Iterable[Call], environ: Mapping[str, str]) -> dict[tuple[str, str], Endpoint | None]:
    """The endpoints of all calls, by service and Region. Raises EntrypointError for a Region or URL that is not one."""
    found: dict[tuple[str, str], Endpoint | None] = {}
    for call in calls:
        key = (call.service.name, call.region)
        if call.region and not is_label(call.region):  # an ARN's was checked before
            raise EntrypointError(
                INVALID_AWS_CONFIGURATION, f"{region_variable(environ)} is {call.region!a}, which is not a valid Region"
            )
        variable = url_variable(call.service, environ)
        # Refused here, since botocore takes its time to start; it reads a URL as urllib.parse does, from its first
        # character that is not a space.
        if variable and not environ[variable].lstrip().lower().startswith(("http://", "https://")):
            raise invalid_url(variable)
        if key not in found:
            found[key] = resolve(call.service, call.region, environ)
    return found


def resolve(service: Service, region: str, environ: Mapping[str, str]) -> Endpoint | None:
    """The endpoint that botocore would choose, or None where only botocore can say."""
    fips, dual_stack = flag(environ, "AWS_USE_FIPS_ENDPOINT"), flag(environ, "AWS_USE_DUALSTACK_ENDPOINT")
    configured = environ.get(url_variable(service, environ), "")
    if dual_stack or (configured and fips) or not is_label(region):
        return None
    if configured:
        return _parsed(configured)
    found = partition(region)
    if found is None:
        return None
    name, suffix = found
    label = service.fips.get(name) if fips else service.name
    return Endpoint(f"{label}.{region}.{suffix}") if label else None


def url_variable(service: Service, environ: Mapping[str, str]) -> str:
    """The variable whose URL is the service's endpoint, "" if none is set.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    if flag(environ, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        return ""
    return next((name for name in (service.endpoint_variable, "AWS_ENDPOINT_URL") if environ.get(name)), "")


def invalid_url(setting: str) -> EntrypointError:
    """The URL of an endpoint, which `setting` names, is not one; it is not shown, since it may contain a password."""
    return EntrypointError(
        INVALID_AWS_CONFIGURATION,
        f"{setting} is not a valid URL; expected https://HOST, https://HOST:PORT or https://HOST/PATH",
    )


def _parsed(url: str) -> Endpoint | None:
    """An endpoint from a URL that consists of scheme, host, port and path, in their usual form; None for any other."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    secure = scheme.lower() == "https"
    host, port = _host_and_port(authority)
    number = port[1:] or ("443" if secure else "80")
    if scheme.lower() not in ("http", "https") or not host or port[:1] not in ("", ":"):
        return None
    if not _usual(path) or not _DIGITS.issuperset(number) or not 0 < int(number) < 65536:
        return None
    return Endpoint(host.lower(), port=int(number), path=slash + path or "/", secure=secure, amazon=False)


def _host_and_port(authority: str) -> tuple[str, str]:
    """The host, "" if it is not a usual one, and what follows it."""
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        return (host if bracket and _ADDRESS.issuperset(host) else ""), port
    host, colon, port = authority.partition(":")
    return (host if all(map(is_label, host.split("."))) else ""), colon + port


def _usual(path: str) -> bool:
    """Whether a path is signed as it is written."""
    folders = path.split("/")[:-1]
    return _PATH.issuperset(path) and not {"", ".", ".."} & set(folders) and not path.endswith((".", "//"))


def is_label(text: str) -> bool:
    """Whether `text` may stand between the dots of a hostname, as a Region does."""
    return 0 < len(text) < 64 and _LABEL.issuperset(text.lower()) and "-" not in (text[0], text[-1])


def partition(region: str) -> tuple[str, str] | None:
    """The partition that a Region is in, and the suffix of its hosts; None where botocore would guess."""
    if region in REGIONS:
        return REGIONS[region]
    partitions = _partitions()
    for candidate in partitions:
        if region in candidate["regions"]:
            return candidate["id"], candidate["outputs"]["dnsSuffix"]
    # Saves 3 ms on every start in a Region that the data has.
    import re  # noqa: PLC0415

    # A Region that is newer than the data: the form of its name shows its partition.
    for candidate in partitions:
        if re.match(candidate["regionRegex"], region):
            return candidate["id"], candidate["outputs"]["dnsSuffix"]
    return None


def known_regions() -> list[str]:
    """All Regions that botocore's data has, without what it calls one in each partition: "aws-global"."""
    found = REGIONS or [region for candidate in _partitions() for region in candidate["regions"]]
    return [region for region in found if not region.endswith("-global")]


def _partitions() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(data("botocore", "data/partitions.json"))["partitions"]
    return found


def flag(environ: Mapping[str, str], name: str) -> bool:
    """Whether one of AWS's variables is true, as botocore reads it."""
    return environ.get(name, "").lower() == "true"
