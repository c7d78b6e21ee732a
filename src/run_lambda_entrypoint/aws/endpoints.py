"""Where a service is asked in a region, out of botocore's own partitions data; None where botocore's rules differ."""

from __future__ import annotations

import json

from .packaged import data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGITS = frozenset("0123456789")
_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_ADDRESS = frozenset("0123456789abcdefABCDEF:.")  # of IPv6
_PATH = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")
# Partitions whose FIPS hosts follow the plain rule for our services; SSM has none of its own in GovCloud.
FIPS_PARTITIONS = frozenset({"aws", "aws-us-gov"})


class Endpoint:
    """A host that answers for a service. `amazon`: it is one of AWS's own, not one that a variable set."""

    __slots__ = ("amazon", "host", "path", "port", "secure")

    def __init__(
        self, host: str, *, port: int = 443, path: str = "/", secure: bool = True, amazon: bool = True
    ):
        self.host = host
        self.port = port
        self.path = path
        self.secure = secure
        self.amazon = amazon

    @property
    def authority(self) -> str:
        """Host and, if it is not the scheme's own, port: as the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def resolve(service: str, region: str, environ: Mapping[str, str]) -> Endpoint | None:
    """The endpoint that botocore would choose, or None where only botocore can say."""
    fips, dual_stack = flag(environ, "AWS_USE_FIPS_ENDPOINT"), flag(environ, "AWS_USE_DUALSTACK_ENDPOINT")
    configured = _configured(service, environ)
    if dual_stack or (configured and fips) or not is_label(region):
        return None
    if configured:
        return _parsed(configured)
    found = partition(region)
    if found is None:
        return None
    name, suffix = found
    if not fips:
        return Endpoint(f"{service}.{region}.{suffix}")
    if name not in FIPS_PARTITIONS:
        return None
    own = "" if (service, name) == ("ssm", "aws-us-gov") else "-fips"
    return Endpoint(f"{service}{own}.{region}.{suffix}")


def _configured(service: str, environ: Mapping[str, str]) -> str | None:
    """https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html"""
    if flag(environ, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        return None
    name = {"secretsmanager": "SECRETS_MANAGER", "ssm": "SSM"}[service]
    return environ.get(f"AWS_ENDPOINT_URL_{name}") or environ.get("AWS_ENDPOINT_URL") or None


def _parsed(url: str) -> Endpoint | None:
    """An endpoint from a URL of scheme, host, port and path alone, written as usual; None for any other."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    secure = scheme.lower() == "https"
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        usual = bool(bracket) and _ADDRESS.issuperset(host) and port[:1] in ("", ":")
    else:
        host, colon, port = authority.partition(":")
        port = colon + port
        usual = all(map(is_label, host.split(".")))
    number = port[1:] or ("443" if secure else "80")
    if scheme.lower() not in ("http", "https") or not usual or not _PATH.issuperset(path):
        return None
    if {"", ".", ".."} & set(path.split("/")[:-1]) or path.endswith(
        (".", "//")
    ):  # such a path is signed as another
        return None
    if not _DIGITS.issuperset(number) or not 0 < int(number) < 65536:
        return None
    return Endpoint(host.lower(), port=int(number), path=slash + path or "/", secure=secure, amazon=False)


def is_label(text: str) -> bool:
    """Whether `text` may stand between the dots of a host's name, as a region does."""
    return 0 < len(text) < 64 and _LABEL.issuperset(text.lower()) and "-" not in (text[0], text[-1])


def partition(region: str) -> tuple[str, str] | None:
    """The partition that a region is in, and the suffix of its hosts; None where botocore would guess."""
    partitions = json.loads(data("botocore", "data/partitions.json"))["partitions"]
    for candidate in partitions:
        if region in candidate["regions"]:
            return candidate["id"], candidate["outputs"]["dnsSuffix"]
    # A region that is newer than the data: its partition tells itself by the form of the name.
    import re

    for candidate in partitions:
        if re.match(candidate["regionRegex"], region):
            return candidate["id"], candidate["outputs"]["dnsSuffix"]
    return None


def flag(environ: Mapping[str, str], name: str) -> bool:
    """Whether a variable of AWS's says true, as botocore reads it."""
    return environ.get(name, "").lower() == "true"
